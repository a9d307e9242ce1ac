"""Prints the findings of `doctor`, as sentences or as JSON.

This module decides the exit code: 0 a load can begin, 1 something is wrong or it is not known
whether the token is accepted, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from hubspot_batch._operations.registry import SPECS
from hubspot_batch._operations.versions import check_version
from hubspot_batch.cli.job_words import one_line
from hubspot_batch.cli.output import Output
from hubspot_batch.client import HubSpotBatch
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import ClientOptions, Retry, is_loopback

from .findings import CheckResult, CheckState
from .machine import look
from .server import Server

_FINE, _WRONG = 0, 1
_WAY = ("address", "proxy", "certificates")
_NO_TOKEN = "no-token-was-given"  # noqa: S105 - HubSpot refuses it, and says so
_MARKS = {
    CheckState.OK: "ok",
    CheckState.NOTE: "note",
    CheckState.FAILED: "WRONG",
    CheckState.SKIPPED: "-",
}


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    parser.add_argument("--base-url", metavar="URL", help="HubSpot's address")
    parser.add_argument("--api-version", metavar="V", help="of HubSpot's API, such as 2026-03")
    parser.add_argument(
        "--operation",
        action="append",
        default=[],
        type=_operation,
        metavar='"FAMILY VERB"',
        help='only what this one needs, such as "calls create"; can be given several times',
    )
    parser.add_argument(
        "--try-writes",
        action="store_true",
        help="find out the scopes of writes, too: each gets a batch without inputs",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="where a load would write (.)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=doctor)


def doctor(arguments: argparse.Namespace, stream: TextIO) -> int:
    """Look at everything, print what was found, and return the exit code."""
    out = Output(stream)
    found: list[CheckResult] = []
    for one in _findings(arguments):
        found.append(one)
        if not arguments.json:
            name = one.name.partition(":")[0].replace("_", " ")
            out.lines([f"{_MARKS[one.state]:<6} {name:<14} {one_line(one.message)}"])
    wrong = sum(one.state is CheckState.FAILED for one in found)
    unsure = any(one.name == "token" and one.state is CheckState.SKIPPED for one in found)
    fine = not (wrong or unsure)
    if arguments.json:
        document = {"ok": fine, "findings": [one.to_dict() for one in found]}
        out.lines([json.dumps(document, indent=2)])
    elif wrong:
        out.lines(["1 thing is wrong." if wrong == 1 else f"{wrong} things are wrong."])
    else:
        unknown = "It is not known whether a load can begin; try again later."
        out.lines(["A load can begin." if fine else unknown])
    return _FINE if fine else _WRONG


def _findings(arguments: argparse.Namespace) -> Iterator[CheckResult]:
    failed = False
    for one in look(arguments.base_url, arguments.out):
        failed = failed or (one.state is CheckState.FAILED and one.name in _WAY)
        yield one
    if failed:
        yield CheckResult("connection", CheckState.SKIPPED, "Not tried, because of the above.")
        return
    options = ClientOptions(arguments.base_url, api_version=arguments.api_version)
    try:
        version = options.api_version and check_version(options.api_version)
    except ConfigurationError as error:
        yield CheckResult("api_version", CheckState.FAILED, error.message)
        return
    token = arguments.token or os.environ.get("HUBSPOT_ACCESS_TOKEN") or ""
    # A sandbox on this machine takes any token.
    here = options.base_url.startswith("http:") and is_loopback(_host(options.base_url))
    try:
        client = HubSpotBatch(
            token or _NO_TOKEN,
            base_url=options.base_url,
            api_version=version,
            timeout=15,
            retry=Retry(1),
        )
    except ConfigurationError as error:
        yield CheckResult("token", CheckState.FAILED, error.message)
        return
    with client:
        server = Server(client, arguments.wall, has_token=bool(token) or here)
        yield from server.look(arguments.operation, try_writes=arguments.try_writes)


def _host(base_url: str) -> str:
    import httpx  # noqa: PLC0415 - the help needs none of it

    return httpx.URL(base_url).host


def _operation(text: str) -> str:
    """Return the id of an operation that is named as on the command line."""
    named = {spec.name.replace(".", " ").replace("_", "-"): spec.id for spec in SPECS.values()}
    id_ = named.get(" ".join(text.replace("_", "-").replace(".", " ").split()))
    if id_ is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no operation; it is one of: {', '.join(sorted(named))}"
        )
    return id_
