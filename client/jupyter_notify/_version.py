"""The version of this distribution, read by the build; `make version` sets it."""

__version__ = "0.1.0"
