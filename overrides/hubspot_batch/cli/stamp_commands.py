"""The command `stamp create FAMILY`, which makes the property that a load can fill in.

This module decides its options and its words.
"""

from __future__ import annotations

import argparse
from typing import TextIO

from hubspot_batch._lookup.endpoints import LOOKUP_ENDPOINTS
from hubspot_batch._lookup.stamp import KEY, STAMP, create_stamp
from hubspot_batch._operations.mark_names import check_names
from hubspot_batch._operations.registry import SPECS
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.options import ClientOptions

from .load import STOPPED, SUCCEEDED, WRONG_USE, confirmed, token_for
from .output import Output, complain


def add_stamp(parser: argparse.ArgumentParser) -> None:
    """Add the commands below `stamp`."""
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="verb")
    words = "make the property by which the records of a load are found again, once"
    one: argparse.ArgumentParser = kinds.add_parser(
        "create", help=words, description=f"{words.capitalize()}.", allow_abbrev=False
    )
    families = {SPECS[id_].described.tag: id_ for id_ in LOOKUP_ENDPOINTS}
    one.add_argument("family", choices=sorted(families), metavar="FAMILY", help=", ".join(families))
    one.add_argument("--property", metavar="P", help=f"its name; {STAMP}, or {KEY} with --unique")
    one.add_argument(
        "--unique", action="store_true", help="let HubSpot keep its values unique, if it can"
    )
    one.add_argument("--yes", action="store_true", help="do not ask before writing")
    one.add_argument("--base-url", metavar="URL", help="HubSpot's address")
    one.set_defaults(run=_create)


def _create(arguments: argparse.Namespace, stream: TextIO) -> int:
    out, family, unique = Output(stream), arguments.family, arguments.unique
    name = arguments.property or (KEY if unique else STAMP)
    option = "--key-property" if unique else "--stamp-property"
    try:
        check_names(None, name)
        options = ClientOptions(arguments.base_url)
        if not confirmed(options.base_url, yes=arguments.yes):
            complain("Nothing was made.")
            return WRONG_USE
        operation = next(id_ for id_ in LOOKUP_ENDPOINTS if SPECS[id_].described.tag == family)
        token = arguments.token or token_for(options.base_url)
        with HubSpotBatch(token, base_url=options.base_url) as client:
            made = create_stamp(
                client.raw.send, operation, name, unique=unique, api_version=options.api_version
            )
    except ConfigurationError as error:
        complain(error.message)
        return WRONG_USE
    except HubSpotBatchError as error:
        advice = ""
        if unique and error.status_code == 400:
            advice = " Make a plain one without --unique: records are then searched for by it."
        complain(f"{error.message}{advice}")
        return STOPPED
    done = "is made" if made.new else "is there already"
    kind = "unique " if made.unique else ""
    out.lines(
        [f"The {kind}property {made.name} of {family} {done}; load with {option} {made.name}."]
    )
    return SUCCEEDED
