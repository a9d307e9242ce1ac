"""The operations that return records page by page: a search, or a list.

Decides which operations these are (the first word of the operationId is `search` or `list`, or
`x-kind` says so), what such an operation must have, and which of its arguments are left to users.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from . import operation_model
from .keywords import METHODS
from .operation_meaning import ContractError
from .operation_model import Parameter, follow
from .yaml_source import Pointer, is_map

# The arguments that paging fills in.
AFTER, LIMIT = "after", "limit"
_TOTAL, _PAGING, _ID = "total", "paging", "id"


class Listing(NamedTuple):
    """An operation that returns records page by page.

    - `at`: its place.
    - `operation`: what the fragment says.
    - `kind`: "search" or "list".
    - `page`, `record`: the names of the schemas of a page and of a record.
    - `limit`: the most records on a page.
    - `counted`: True if a page says how many records there are in all.
    - `parameters`: the arguments of the method.
    """

    at: Pointer
    operation: dict[str, Any]
    kind: str
    page: str
    record: str
    limit: int
    counted: bool
    parameters: tuple[Parameter, ...]

    @property
    def name(self) -> str:
        """The name of the method."""
        id_, tag = self.operation["operationId"], self.operation["tags"][0]
        return re.sub(rf"_{re.escape(tag)}(?=_|$)", "", id_, count=1)


def listings(document: Mapping[str, Any]) -> Iterator[Listing]:
    """Yield the operations that return records page by page.

    Raises ContractError if one lacks what paging needs.
    """
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and operation_model.is_listing(document, item[method]):
                yield _listing(document, ("paths", path, method), item)


def _listing(document: Mapping[str, Any], at: Pointer, item: dict[str, Any]) -> Listing:
    operation = item[str(at[2])]
    name = operation["operationId"]
    if not operation.get("tags"):
        raise ContractError(at, f"{name} has no tag; give it one.")
    beside, required = operation_model.body_of(document, at, operation)
    every = operation_model.parameters_beside(document, at, item, beside, required)
    by_name = {one.name: one for one in every}
    for needed in (AFTER, LIMIT):
        if needed not in by_name:
            text = f"{name} has no argument `{needed}`, by which its pages are asked for."
            raise ContractError(at, text)
    size = follow(document, by_name[LIMIT].at, by_name[LIMIT].schema)[1]
    most = size.get("maximum") if is_map(size) else None
    if type(most) is not int or most < 1:
        text = f"`{LIMIT}` of {name} has no `maximum`; write how many records a page has at most."
        raise ContractError(by_name[LIMIT].at, text)
    page, answer, record = operation_model.page_of(document, operation)
    if record is None or not (page and operation_model.schema_name(record)):
        text = f"the response of {name} has no list `results` of a schema with a name; refer to one"
        raise ContractError(at, f"{text}.")
    fields = operation_model.fields_of(document, record)
    if _PAGING not in answer or not fields.scalar(_ID):
        text = f"a page of {name} has no `{_PAGING}`, or its records have no `{_ID}`"
        raise ContractError(at, f"{text}, so its end could not be known.")
    for one in every:
        if one.place == "path":
            raise ContractError(one.at, f"{name} has `{one.name}` in its path; not supported.")
    shown = tuple(one for one in every if one.name not in (AFTER, LIMIT))
    return Listing(
        at=at,
        operation=operation,
        kind=operation_model.listing_kind(operation),
        page=page,
        record=operation_model.schema_name(record),
        limit=most,
        counted=_TOTAL in answer,
        parameters=tuple(sorted(shown, key=lambda one: not one.required)),
    )
