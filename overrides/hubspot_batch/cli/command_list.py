"""The commands that there are, with a line of help each.

This module decides what `hubspot-batch --help` lists. The options of a command are added only if
its name was typed, because reading files, mappings and jobs takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hubspot_batch._operations.listings import LISTINGS, Listing, method_of
from hubspot_batch._operations.registry import SPECS, OperationSpec

Subparsers = Any
"""What `add_subparsers` returns; its type is private to argparse."""


def add_commands(commands: Subparsers, run: Callable[..., int], first: Sequence[str]) -> None:
    """Add a command for each family of records, and those around a load.

    Args:
        commands: Where they are added.
        run: Runs an operation.
        first: The first word that was typed; with none, all commands have their options.
    """
    families: dict[str, list[OperationSpec]] = {}
    for spec in SPECS.values():
        families.setdefault(spec.described.tag, []).append(spec)
    listed: dict[str, list[Listing]] = {}
    for listing in LISTINGS.values():
        listed.setdefault(listing.tag, []).append(listing)
    for tag in sorted({*families, *listed}):
        specs, listings = families.get(tag, []), listed.get(tag, [])
        name, words = tag.replace("_", "-"), tag.replace("_", " ")
        verbs = [
            *map(verb_of, specs),
            *(method_of(listing).replace("_", "-") for listing in listings),
        ]
        family = commands.add_parser(
            name,
            help=f"load or read {words}: {', '.join(verbs)}",
            description=f"Load a file of {words}, or read them.",
            allow_abbrev=False,
        )
        if not first or first[0] == name:
            from .commands import add_operations  # noqa: PLC0415 - see above

            add_operations(family, specs, listings, run)
    mapping = commands.add_parser(
        "mapping",
        help="write a mapping file to start from",
        description="Write a mapping file to start from: headings, sample values and proposals. "
        "Read it, change it, and hand it to --map. Uncertain lines are comments.",
        epilog="example: hubspot-batch mapping calls.csv > calls.toml",
        allow_abbrev=False,
    )
    jobs = commands.add_parser(
        "jobs",
        help="look at what loads have left: list, show, rejects, reconcile",
        description="Look at the folders that loads have left.",
        allow_abbrev=False,
    )
    stamp = commands.add_parser(
        "stamp",
        help="make the property by which created records are found again",
        description="Make the property that --stamp-property or --key-property names.",
        allow_abbrev=False,
    )
    if not first or first[0] == "stamp":
        from .stamp_commands import add_stamp  # noqa: PLC0415 - see above

        add_stamp(stamp)
    doctor = commands.add_parser(
        "doctor",
        help="look at everything that a load needs: versions, proxy, token, scopes, limits, clock",
        description="Look at everything that a load needs, and change nothing. Nothing secret is "
        "printed.",
        epilog="Exit code: 0 a load can begin, 1 something is wrong or not known, 2 wrong use.",
        allow_abbrev=False,
    )
    if not first or first[0] == "doctor":
        from .doctor.command import add_doctor  # noqa: PLC0415 - see above

        add_doctor(doctor)
    if not first or first[0] in ("mapping", "jobs"):
        from .job_commands import add_jobs, add_mapping  # noqa: PLC0415 - see above

        add_mapping(mapping)
        add_jobs(jobs)


def verb_of(spec: OperationSpec) -> str:
    """Return how the command line calls what an operation does."""
    return spec.name.partition(".")[2].replace("_", "-")
