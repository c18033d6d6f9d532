"""Where files are kept that people upload."""
