"""The commands of searches and lists: `calls search`, `campaigns list`.

This module decides their options, where the records go, and what is said of them. They read only,
and a file appears when all records are in it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from hubspot_batch._json import is_map
from hubspot_batch._operations.listings import Listing, method_of
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.files import FileError
from hubspot_batch.jobs.outcome_files import check_folder
from hubspot_batch.jobs.record_tables import FORMS, RecordTables
from hubspot_batch.options import ClientOptions

from .commands import Formatter, add_argument, whole
from .load import STOPPED, SUCCEEDED, WRONG_USE, token_for
from .output import Output, complain

_GROUPS = "filter_groups"
# What stands behind an operator: no value, a lower and an upper one, or several.
_NO_VALUE = ("HAS_PROPERTY", "NOT_HAS_PROPERTY")
_TWO_VALUES, _MANY_VALUES = ("BETWEEN",), ("IN", "NOT_IN")
_EXAMPLES = {
    "search": '{words} --filter "hs_call_status EQ COMPLETED" --properties hs_call_title --to csv',
    "list": "{words} --properties hs_name,hs_start_date --to csv",
}
_EPILOG = """\
example:
  hubspot-batch {example}

The records go to {folder}, in records.csv, records.jsonl or records.parquet.
Exit code: 0 all are there, 2 wrong use, 3 stopped (no file is written), 130 Ctrl-C."""


def add_listings(operations: Any, listings: Sequence[Listing]) -> None:
    """Add a command for each search and list of a family."""
    for listing in listings:
        words = words_of(listing)
        example = _EXAMPLES[listing.kind].format(words=words)
        tag = listing.tag.replace("_", " ")
        parser: argparse.ArgumentParser = operations.add_parser(
            words.partition(" ")[2],
            help="all records that are found, page by page",
            usage=f"hubspot-batch {words} [options]",
            description=f"{listing.kind.capitalize()} {tag}, and write what is found.",
            epilog=_EPILOG.format(example=example, folder=_folder(listing)),
            formatter_class=Formatter,
            allow_abbrev=False,
        )
        parser.set_defaults(run=_read(listing))
        _add_options(parser, listing)


def words_of(listing: Listing) -> str:
    """Return how the command line calls a search or a list: `calls search`."""
    return f"{listing.tag} {method_of(listing)}".replace("_", "-")


def _folder(listing: Listing) -> str:
    return f"{words_of(listing).replace(' ', '-')}.hubspot"


def _add_options(parser: argparse.ArgumentParser, listing: Listing) -> None:
    what = parser.add_argument_group("what is looked for")
    if any(one.keyword == _GROUPS for one in listing.arguments):
        what.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar='"P OP V"',
            help='"hs_timestamp BETWEEN A,B"; all of several must be true',
        )
        what.add_argument(
            "--search", type=Path, metavar="FILE", help="a JSON file with the body of the search"
        )
    for argument in listing.arguments:
        add_argument(what, argument)
    where = parser.add_argument_group("what is written")
    where.add_argument("--to", choices=FORMS, default="csv", help="csv by default", metavar="F")
    where.add_argument("--out", type=Path, metavar="DIR", help=f"folder; {_folder(listing)}")
    where.add_argument("--limit", type=whole(1), metavar="N", help="only the first N records")
    how = parser.add_argument_group("running")
    how.add_argument("--base-url", metavar="URL", help="HubSpot's address")
    how.add_argument("--api-version", metavar="V", help="of HubSpot's API, such as 2026-03")


def _read(listing: Listing) -> Callable[[argparse.Namespace, TextIO], int]:
    def run(arguments: argparse.Namespace, stream: TextIO) -> int:
        try:
            return _write(arguments, listing, Output(stream))
        except (ConfigurationError, FileError) as error:
            complain(str(getattr(error, "message", error)))
            return WRONG_USE
        except HubSpotBatchError as error:
            complain(f"{error.message} No file is written.")
            return STOPPED
        except OSError as error:
            complain(f"The records cannot be written ({error}).")
            return STOPPED

    return run


def _write(arguments: argparse.Namespace, listing: Listing, out: Output) -> int:
    given = _given(arguments, listing)
    options = ClientOptions(arguments.base_url, api_version=arguments.api_version)
    folder: Path = arguments.out or Path(_folder(listing))
    token = arguments.token or token_for(options.base_url)
    with HubSpotBatch(token, base_url=options.base_url, api_version=options.api_version) as client:
        found: Iterator[Any] = getattr(getattr(client, listing.tag), method_of(listing))(**given)
        _check(folder)
        records = RecordTables(folder, arguments.to)
        try:
            count = sum(1 for _ in map(records.add, islice(found, arguments.limit)))
            names = records.close()
        finally:
            records.abandon()
    words = listing.tag.replace("_", " ")
    what = "1 record is" if count == 1 else f"{count} {words} are"
    said = f"{what} in {' and '.join(str(folder / name) for name in names)}."
    out.lines([said if names else f"No {words} are found, and no file is written."])
    old = folder / f"records.{arguments.to}"
    if not names and old.exists():
        old.unlink()
        out.lines([f"{old} of an earlier search was removed."])
    return SUCCEEDED


def _check(folder: Path) -> None:
    try:
        check_folder(folder, ())
    except OSError as error:
        raise ConfigurationError(
            f"The records cannot be written to {folder} ({error.strerror}), so nothing was sent. "
            "Name another folder with --out."
        ) from None


def _given(arguments: argparse.Namespace, listing: Listing) -> dict[str, Any]:
    """Return the arguments of the method, from the file of a search and from the options."""
    given: dict[str, Any] = {}
    if path := getattr(arguments, "search", None):
        given = _from_file(path, listing)
    options = {one.keyword: f"argument_{one.keyword}" for one in listing.arguments}
    given |= {
        keyword: value
        for keyword, name in options.items()
        if (value := getattr(arguments, name)) is not None
    }
    if filters := getattr(arguments, "filter", []):
        if given.get(_GROUPS):
            raise ConfigurationError("--filter and groups of filters exclude each other.")
        given[_GROUPS] = [{"filters": [*map(_filter, filters)]}]
    return given


def _from_file(path: Path, listing: Listing) -> dict[str, Any]:
    names = {one.name: one.keyword for one in listing.arguments}
    try:
        body: Any = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"--search {path}: it cannot be read as JSON ({error}).") from None
    if not is_map(body):
        raise ConfigurationError(f"--search {path}: it is no JSON object; write the search's body.")
    if unknown := sorted({*body} - {*names}):
        raise ConfigurationError(
            f"--search {path}: a search has no {', '.join(unknown)}; it has {', '.join(names)}. "
            "Pages are read by themselves, and --limit ends them."
        )
    return {names[name]: value for name, value in body.items()}


def _filter(text: str) -> dict[str, Any]:
    """Return the filter that a text such as `hs_call_status EQ COMPLETED` means."""
    name, _, rest = text.strip().partition(" ")
    operator, _, value = rest.strip().partition(" ")
    operator, value = operator.upper(), value.strip()
    made = {"propertyName": name, "operator": operator}
    parts = [one.strip() for one in value.split(",")]
    if operator in _NO_VALUE and not value:
        return made
    if operator and value and operator not in _NO_VALUE:
        if operator in _MANY_VALUES:
            return {**made, "values": parts}
        if operator not in _TWO_VALUES:
            return {**made, "value": value}
        if len(parts) == len(("low", "high")):
            return {**made, "value": parts[0], "highValue": parts[1]}
    raise ConfigurationError(
        f"--filter {text!r} is no filter: write a property, an operator and a value, such as "
        '"hs_call_status EQ COMPLETED", "hs_timestamp BETWEEN A,B" or "hs_call_title HAS_PROPERTY".'
    )
