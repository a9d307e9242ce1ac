"""The commands of the operations, from the same data as the methods of a client.

This module decides which options there are. A new operation has its command without a line here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from hubspot_batch._lookup.endpoints import LOOKUP_ENDPOINTS
from hubspot_batch._operations.listings import Listing
from hubspot_batch._operations.registry import OperationSpec
from hubspot_batch.files.formats import FORMATS
from hubspot_batch.jobs import MaxFailures
from hubspot_batch.jobs.record_tables import FORMS
from hubspot_batch.options import RateLimit

from .command_list import Subparsers, verb_of
from .progress import add_progress_options

_EPILOG = """\
example:
  hubspot-batch mapping {file} > {map}
  hubspot-batch {words} {file} --map {map} --plan
  hubspot-batch {words} {file} --map {map}

The results go to {file}.hubspot: outcomes.jsonl, rejects and unknown rows.
Exit code: 0 all succeeded, 1 some did not, 2 wrong use (nothing sent),
3 stopped, 130 Ctrl-C, 143 SIGTERM."""


def add_operations(
    family: argparse.ArgumentParser,
    specs: Sequence[OperationSpec],
    listings: Sequence[Listing],
    run: Callable[..., int],
) -> None:
    """Add a command for each operation of a family.

    Args:
        family: The command of the family.
        specs: Its operations.
        listings: Its searches and lists.
        run: Runs one of them.
    """
    operations = family.add_subparsers(
        title="commands", metavar="COMMAND", required=True, dest="verb"
    )
    for spec in specs:
        verb = verb_of(spec)
        words = f"{spec.described.tag.replace('_', '-')} {verb}"
        _add_operation(operations, spec, verb, words, run)
    if listings:
        from .listing_commands import add_listings  # noqa: PLC0415 - it needs this module

        add_listings(operations, listings)


def _add_operation(
    operations: Subparsers, spec: OperationSpec, verb: str, words: str, run: Callable[..., int]
) -> None:
    name = spec.described.tag
    parser: argparse.ArgumentParser = operations.add_parser(
        verb,
        help=f"up to {spec.described.limit} rows to a request",
        usage=f"hubspot-batch {words} FILE... [options]",
        description=f"{verb.capitalize()} {name.replace('_', ' ')}: one for each row of a file.",
        epilog=_EPILOG.format(words=words, file=f"{name}.csv", map=f"{name}.toml"),
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, operation=spec.id)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file; - for standard input")
    add_reading(parser)
    _add_mapping(parser)
    _add_run(parser, spec)
    if spec.id in LOOKUP_ENDPOINTS:
        _add_doubt_options(parser, spec)
    _add_earlier(parser)
    add_progress_options(parser)
    own = parser.add_argument_group("this operation")
    for argument in spec.described.arguments:
        add_argument(own, argument)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps each option in a line where it can, so that the help fits a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file is read."""
    group = parser.add_argument_group("reading")
    group.add_argument("--format", choices=FORMATS, metavar="F", help=", ".join(FORMATS))
    group.add_argument("--encoding", metavar="E", help="such as cp1252; found out by default")
    group.add_argument("--delimiter", metavar="D", help="found out by default")
    group.add_argument("--sheet", metavar="S", help="name or number of a workbook's sheet")
    group.add_argument("--headings", type=whole(1), metavar="N", help="the line of the headings")


def _add_mapping(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("columns")
    several: dict[str, Any] = {"action": "append", "default": []}
    group.add_argument("--map", metavar="M", **several, help='FILE.toml or "Column=property"')
    group.add_argument("--set", metavar="P=V", **several, help="what every record gets")
    group.add_argument(
        "--associate", metavar="T=C", **several, help='a column of ids: contact="Contact ID"'
    )
    group.add_argument("--timezone", metavar="Z", help="of times that name none; UTC by default")
    group.add_argument("--ignore", metavar="COL", **several, help="a column that means nothing")
    group.add_argument(
        "--ignore-unknown", action="store_true", help="ignore columns that are not mapped"
    )


def _add_run(parser: argparse.ArgumentParser, spec: OperationSpec) -> None:
    group = parser.add_argument_group("running")
    group.add_argument("--plan", action="store_true", help="check everything and send nothing")
    group.add_argument("--expect", metavar="DIGEST", help="run only if the plan has this digest")
    if not spec.kind.reads:
        group.add_argument(
            "--online", action="store_true", help="ask the account for its properties, and check"
        )
    group.add_argument("--yes", action="store_true", help="do not ask before writing")
    group.add_argument("--limit", type=whole(1), metavar="N", help="only the first N rows")
    group.add_argument(
        "--max-failures", type=_failures, metavar="N|P%", help="stop when more rows than this fail"
    )
    group.add_argument(
        "--daily-reserve", type=whole(0), metavar="N", help="requests of the day to leave to others"
    )
    group.add_argument(
        "--rate", type=_rate, metavar="N[/S]", help="at most N requests in S seconds (10)"
    )
    group.add_argument("--base-url", metavar="URL", help="HubSpot's address")
    group.add_argument("--api-version", metavar="V", help="of HubSpot's API, such as 2026-03")
    if spec.kind.reads:
        group.add_argument(
            "--to", choices=FORMS, metavar="F", help="write the records: csv, jsonl or parquet"
        )
    else:
        group.add_argument(
            "--allow-implausible", action="store_true", help='send values such as "nan" too'
        )


def _add_doubt_options(parser: argparse.ArgumentParser, spec: OperationSpec) -> None:
    group = parser.add_argument_group("rows that may have been created")
    group.add_argument(
        "--reconcile", action="store_true", help="look them up when everything was sent"
    )
    if LOOKUP_ENDPOINTS[spec.id].reads is not None:
        group.add_argument(
            "--key-property", metavar="P", help="look up by P, whose values HubSpot keeps unique"
        )
    group.add_argument(
        "--stamp-property", metavar="P", help="look up by P, which is filled in for that"
    )
    group.add_argument(
        "--assume-absent-after",
        type=_number,
        metavar="S",
        help="after S seconds, count rows that are not found as not sent (your risk)",
    )


def _add_earlier(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("an earlier run")
    group.add_argument("--out", metavar="DIR", help="folder of the results; FILE.hubspot")
    group.add_argument("--journal", metavar="FILE", help="the journal; journal.sqlite in --out")
    group.add_argument(
        "--resume",
        nargs="?",
        const="same",
        default="",
        choices=("same", "by-content"),
        metavar="by-content",
        help="send what was not sent; by-content: also of a file that changed",
    )
    group.add_argument(
        "--restart", action="store_true", help="forget the earlier run and send every row again"
    )
    group.add_argument(
        "--allow-edited",
        action="store_true",
        help="send edited rows that were done",
    )
    group.add_argument(
        "--retry",
        action="append",
        default=[],
        choices=("failed", "not-sent", "unknown"),
        metavar="STATUS",
        help="failed, not-sent or unknown: send these again",
    )
    group.add_argument(
        "--insist",
        metavar="SENTENCE",
        help="confirms --retry unknown: the sentence that its error prints",
    )


def add_argument(group: Any, argument: Any) -> None:
    """Add an argument of the operation; several values are separated by commas."""
    flag = f"--{argument.keyword.replace('_', '-')}"
    settings: dict[str, Any] = {"dest": f"argument_{argument.keyword}", "default": None}
    if argument.form == "boolean":
        settings["action"] = argparse.BooleanOptionalAction
    else:
        settings["type"] = _READERS.get(argument.form, str)
        usual = "A,B" if argument.form.endswith("s") else "V"
        settings["metavar"] = _METAVARS.get(argument.form, usual)
    if argument.required:
        settings["required"] = True
    described = argument.description.rstrip(".").replace("%", "%%")
    group.add_argument(flag, **settings, help=described or _HELP.get(argument.form, ""))


def _listed(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read(text: str) -> list[Any]:
        return [kind(one.strip()) for one in text.split(",") if one.strip()]

    return read


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON ({error})") from None


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "json": _json,
    "texts": _listed(str),
    "integers": _listed(int),
    "numbers": _listed(float),
}
_METAVARS = {"date": "DATE", "time": "TIME", "json": "JSON"}
_HELP = {
    "texts": "names, separated by commas",
    "json": "JSON, in the form that HubSpot describes",
    "date": "a date, such as 2026-01-31",
    "time": "a time, such as 2026-01-31T09:30:00Z",
}


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` on."""

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) < 18 and int(text) >= least:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")

    return read


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return number


def _failures(text: str) -> MaxFailures:
    if text.endswith("%"):
        number = _number(text[:-1])
        if number > 100:
            raise argparse.ArgumentTypeError(f"{text!r} is more than 100%")
        return MaxFailures(number, percent=True)
    return MaxFailures(whole(0)(text))


def _rate(text: str) -> RateLimit:
    requests, slash, seconds = text.partition("/")
    window = _number(seconds) if slash else 10.0
    if not window:
        raise argparse.ArgumentTypeError(f"{text!r} has no length; write it as 50/10")
    return RateLimit(whole(1)(requests), window)
