"""What every service has, whatever it is for: settings, and the parts of the process."""

from pkg.service.settings import StandardSettings
from pkg.service.standard import MAIN, Standard

__all__ = ["MAIN", "Standard", "StandardSettings"]
