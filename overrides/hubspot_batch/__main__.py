"""Lets `python -m hubspot_batch` do what the console command does."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
