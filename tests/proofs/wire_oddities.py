"""Oddities of a success that say nothing false of any input.

It decides what HubSpot's responses are known to have beside, or in place of, what is described.
"""

from __future__ import annotations

import random
from typing import Any


def make_odd(body: dict[str, Any], rng: random.Random) -> None:
    """Change a body in one of the ways."""
    rng.choice(_ODDITIES)(body, rng)


def _odd_count(body: dict[str, Any], rng: random.Random) -> None:
    body["numErrors"] = rng.choice((None, 0, -1, "2", 2**40, len(body.get("errors") or [])))


def _odd_errors(body: dict[str, Any], rng: random.Random) -> None:
    errors = body.get("errors")
    if errors:
        extra = rng.choice((None, "refused", 5, [], {}, {"message": None}, {"context": None}))
        errors.insert(rng.randrange(len(errors) + 1), extra)
    else:
        body["errors"] = rng.choice((None, [], {}, "", 0))


def _odd_context(body: dict[str, Any], rng: random.Random) -> None:
    for error in body.get("errors") or []:
        if isinstance(error, dict) and isinstance(error.get("context"), dict):
            error["context"] |= rng.choice(({"links": []}, {"expire time": ["x"]}, {"a": None}))
            error["links"] = rng.choice((None, {}, {"docs": "x"}))
            error["subCategory"] = rng.choice((None, "CampaignApiError.INVALID", {"a": "b"}))


def _stranger(body: dict[str, Any], rng: random.Random) -> None:
    """An error of a record that was never sent."""
    error = {"category": "OBJECT_NOT_FOUND", "message": "no", "context": {"ids": ["424242"]}}
    if body.get("errors"):
        body["errors"].append(error)


def _odd_top(body: dict[str, Any], rng: random.Random) -> None:
    name, value = rng.choice(
        (("status", "PENDING"), ("status", "DONE"), ("links", None), ("new", 1))
    )
    body[name] = value
    body.pop(rng.choice(("startedAt", "completedAt")), None)


def _twice(body: dict[str, Any], rng: random.Random) -> None:
    """A result that is listed twice."""
    if body["results"]:
        body["results"].append(dict(rng.choice(body["results"])))


_ODDITIES = (_odd_count, _odd_errors, _odd_context, _stranger, _odd_top, _twice)
