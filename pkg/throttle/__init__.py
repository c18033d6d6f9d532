"""Slowing down who guesses: failures counted per account and per address."""
