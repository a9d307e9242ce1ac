"""The version of this package, and the one place where it is written.

The build reads it here (`tool.hatch.version` in pyproject.toml). Nothing asks the installed
metadata at run time: to find and read it takes a fifth of the time in which httpx is imported.
"""

__version__ = "0.1.0"
