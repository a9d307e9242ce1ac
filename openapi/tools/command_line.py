"""The parts of a command line that the tools share.

Decides how the problems of the fragments are printed.
"""

import sys

from generation.yaml_source import SourceError


def print_problems(error: SourceError) -> None:
    """Print every problem, one to a line."""
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s'[: count != 1]}; nothing was written.", file=sys.stderr)
