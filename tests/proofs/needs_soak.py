"""The command behind `make soak-needed`: does a change ask for the random runs of `make soak`?

It decides by the files that differ from a commit: those that a run passes, and what proves it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).parents[2]

# Where an outcome is decided. Other folders are proven by `make test`.
PROVEN = (
    "overrides/hubspot_batch/_engine/",
    "overrides/hubspot_batch/_matching/",
    "overrides/hubspot_batch/_operations/",
    "overrides/hubspot_batch/_transport/",
    "overrides/hubspot_batch/client/",
    "overrides/hubspot_batch/events.py",
    "overrides/hubspot_batch/integrations/",
    "overrides/hubspot_batch/jobs/",
    "overrides/hubspot_batch/journal/",
    "overrides/hubspot_batch/outcomes/",
    "generated/",
    "tests/proofs/shared",
    "tests/proofs/soak",
    "tests/proofs/wire",
)


def needing(changed: Sequence[str]) -> list[str]:
    """Return the files of a change that need the random runs."""
    return [name for name in changed if name.startswith(PROVEN) and name.endswith(".py")]


def changed_since(commit: str) -> list[str]:
    """Return the files that differ from a commit, with those that git does not know.

    Raises:
        subprocess.CalledProcessError: There is no such commit, or no repository.
    """
    asked = (
        ["diff", "--name-only", "-z", commit, "--"],
        ["ls-files", "-z", "-o", "--exclude-standard"],
    )
    names: list[str] = []
    for arguments in asked:
        command = ["git", "-C", str(HOME), *arguments]
        names += subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(
            "\0"
        )
    return sorted({name for name in names if name})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the files that need the runs; return 0, or 2 for a wrong commit."""
    parser = argparse.ArgumentParser(description="Does a change need `make soak`?")
    parser.add_argument("--since", default="HEAD", help="the commit of the last soak (HEAD)")
    since = parser.parse_args(arguments).since
    try:
        files = needing(changed_since(since))
    except subprocess.CalledProcessError as error:
        print(
            f"soak-needed: git knows no commit {since!r}: {error.stderr.strip()}", file=sys.stderr
        )
        return 2
    if not files:
        print(f"No: nothing since {since} changes how an outcome is decided.")
    else:
        print(f"Yes, run `make soak`. Since {since} these changed:", *files, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
