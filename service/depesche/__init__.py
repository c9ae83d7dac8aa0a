"""Depesche: English briefs of German, Russian and Khmer releases, with their sources."""

__version__ = "0.1.0"

__all__ = ["__version__"]
