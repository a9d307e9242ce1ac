"""The facts of our operations' pages as they are kept, and pages that were captured.

The tests make pages from these facts (captures.py), and compare with them what is read.
"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).parents[2] / "openapi"
# Those of which a page was captured; for the others a published description says less.
OPERATIONS = tuple(
    sorted(
        path.stem
        for path in HOME.glob("pages/*.yaml")
        if yaml.safe_load(path.read_text("utf-8"))["request"]
    )
)
# Captures of HubSpot's own pages are HubSpot's, so they are no part of the project; where they lie
# beside it, they are read too.
CAPTURED = tuple(sorted((HOME.parents[1] / "shared" / "pages").glob("*.txt")))

FIELDS = {
    "completedAt": "string<date-time>, required",
    "results": "object[], required",
    "startedAt": "string<date-time>, required",
    "status": "enum<string>, required",
    "errors": "object[]",
    "links": "object",
    "numErrors": "integer<int32>",
    "requestedAt": "string<date-time>",
}


@cache
def facts_of(operation: str) -> dict[str, Any]:
    """The facts of an operation as they stand in its file; not to be changed."""
    data: dict[str, Any] = yaml.safe_load((HOME / "pages" / f"{operation}.yaml").read_text("utf-8"))
    return data


def kept(operation: str, **more: Any) -> dict[str, Any]:
    """The facts of an operation as they are kept, in full where a form can show more."""
    return {**copy.deepcopy(facts_of(operation)), "scopes": None, "fields": None, **more}
