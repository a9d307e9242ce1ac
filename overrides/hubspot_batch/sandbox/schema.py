"""Whether one input has the form that the contract describes.

It decides on form only (names, types, what must be there); what a value means is for the rows.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

import fastjsonschema


def first_problem(value: object, schema: Mapping[str, Any], name: str) -> str | None:
    """Say in a few words what is wrong first with `value`, or return None.

    `name` is what the words call the value. As in HubSpot's own answers, they name a field and
    never the position of the input in the batch.
    """
    try:
        _compiled(json.dumps(schema))(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return str(error.message).replace("data", name, 1)
    return None


@cache
def _compiled(schema: str) -> Callable[[object], object]:
    check: Callable[[object], object] = fastjsonschema.compile(
        json.loads(schema), use_default=False
    )
    return check


def is_date(text: str) -> bool:
    """Say whether `text` is a day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
