"""Values that a published schema allows, for requests and responses of made-up servers.

Decides which value stands for a schema. Free texts hold a mark, so that one can see later which
input a value belongs to.
"""

from __future__ import annotations

import json
import re
from typing import Any

from comparison.schema import Reader
from comparison.schema_forms import Form, Parts

_MOST_DEEP = 6
_FORMATS = {
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
    "uuid": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
    "uri": "https://example.com/",
    "email": "ada@example.com",
}


def sample(reader: Reader, parts: Parts, mark: str, *, whole: bool = True, depth: int = 0) -> Any:
    """Return a value of a schema.

    Args:
        reader: Reads the schema.
        parts: The schema.
        mark: A text that each free text of the value holds.
        whole: Whether optional fields are there too.
        depth: How many objects and lists are around it.
    """
    shape = reader.shape(parts)
    forms = [form for form in shape.forms if form.kind != "null"]
    if not forms:
        return mark
    return _of_form(reader, forms[0], mark, whole=whole, depth=depth)


def _of_form(reader: Reader, form: Form, mark: str, *, whole: bool, depth: int) -> Any:
    inner = {"whole": whole and depth < _MOST_DEEP, "depth": depth + 1}
    if form.kind == "object":
        names = [name for name in form.fields if inner["whole"] or name in form.required]
        made = {name: sample(reader, form.fields[name], mark, **inner) for name in names}
        if not isinstance(form.others, bool) and not made and inner["whole"]:
            made["sample_name"] = sample(reader, form.others, mark, **inner)
        return made
    if form.kind == "array":
        least = form.rules.get("minItems", 0)
        if not form.items or (depth >= _MOST_DEEP and not least):
            return []
        return [sample(reader, form.items, mark, **inner)] * max(1, least)
    if form.kind == "boolean":
        return True
    if form.values:
        first = min(form.values)
        return first if form.kind == "string" else json.loads(first)
    if form.kind == "string":
        text = _FORMATS.get(form.format or "", mark)
        if form.format == "uuid":
            text = f"{text[:-1]}{_number(mark)}"
        least, most = form.rules.get("minLength", 0), form.rules.get("maxLength")
        return text.ljust(least, "x")[:most]
    return max(form.rules.get("minimum", 1), _number(mark) + 1)


def _number(mark: str) -> int:
    """Return the number in a mark: the ids of two records differ."""
    return int(re.sub(r"\D", "", mark) or 0)
