"""The parts of a command line that the tools share.

Decides the project's folder, the form of `--help`, and how an error is printed.
"""

import argparse
import sys
from pathlib import Path

from comparison.text_report import printable
from generation.yaml_source import SourceError

PROJECT = Path(__file__).resolve().parents[2]


def parser(description: str, exit_status: str) -> argparse.ArgumentParser:
    """Return a parser whose `--help` ends with the exit statuses."""
    return argparse.ArgumentParser(description=description, epilog=f"Exit status: {exit_status}.")


def add_project(to: argparse.ArgumentParser) -> None:
    """Add the option `--project`, the folder to work in."""
    to.add_argument("--project", type=Path, default=PROJECT, help="the project's folder")


def fail(message: str, status: int = 2) -> int:
    """Print an error without control characters, and return the exit status."""
    for line in message.split("\n"):
        print(printable(line.expandtabs()), file=sys.stderr)
    return status


def fail_with_problems(error: SourceError) -> int:
    """Print every problem of the fragments, one a line, and return the exit status."""
    count = len(error.problems)
    end = f"{count} problem{'s'[: count != 1]}; nothing was written."
    return fail("\n".join([*map(str, error.problems), end]))
