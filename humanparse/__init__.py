"""Multi-person human parsing on ordinary CPUs: every pixel of every person, named."""

__version__ = "0.1.0"
