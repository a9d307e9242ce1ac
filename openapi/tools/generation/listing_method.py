"""The method of an operation that returns records page by page.

Decides its signature and its docstring. The records are models, handed out as their pages come.
"""

from collections.abc import Mapping

from .docstrings import docstring, wrapped
from .listing_model import Listing
from .operation_model import Parameter, schema_name
from .yaml_source import is_map

_SEARCH = (
    "Records come in the order of their ids. HubSpot shows 10,000 results to a query; further ones "
    "are asked for by their ids. With `sorts`, more than 10,000 results are refused before the "
    "first one is handed out. A search has at most 3,000 characters, 5 groups of filters, 6 "
    "filters in a group and 18 in all. IN and NOT_IN want the values of texts in lower case. New "
    "records are found some time after they were created, usually within a minute.",
    "HubSpot lets an account search five times a second; this client takes four of them.",
)
_LIST = ("Each record comes once. A list that changes while it is read can lack new records.",)
_YIELDS = "The records, as their pages come."
_RAISES = (
    "ConfigurationError: An argument is not valid.",
    "UnfinishedError: A page could not be read, so records may be missing.",
    "HubSpotBatchError: Another error stopped it.",
)


def listing_method(one: Listing, types: Mapping[str, str], family: str, *, tasks: bool) -> str:
    """Return the method as a part of a class.

    `types` are the types of arguments by their forms.
    """
    operation, record = one.operation, f"models.{one.record}"
    id_ = operation["operationId"]
    summary = operation.get("summary") or f"{id_.replace('_', ' ').capitalize()}."
    arguments = [
        f"{each.keyword}: {_type(each, types)}" + ("" if each.required else " | None = None")
        for each in one.parameters
    ]
    given = ", ".join(["self", *(["*", *arguments] if arguments else [])])
    docs = docstring(f"{summary.rstrip('.')}; see `{family}.{one.name}`.")
    if not tasks:
        lines = [wrapped(f"{each.keyword}: {each.description}", 12) for each in one.parameters]
        docs = docstring(
            summary,
            operation.get("description", ""),
            *(_SEARCH if one.kind == "search" else _LIST),
            "\n".join(["Args:", *lines]) if lines else "",
            "\n".join(["Yields:", wrapped(_YIELDS, 12)]),
            "\n".join(["Raises:", *(wrapped(text, 12) for text in _RAISES)]),
        )
    passed = ", ".join([repr(id_), *(f"{each.keyword}={each.keyword}" for each in one.parameters)])
    kind = "AsyncIterator" if tasks else "Iterator"
    return (
        f"    def {one.name}({given}) -> {kind}[{record}]:\n{docs}"
        f"        found: {kind}[{record}] = self._pages({passed})\n        return found\n"
    )


def _type(one: Parameter, types: Mapping[str, str]) -> str:
    """Return the type of an argument; a list of objects takes models and mappings."""
    schema = one.schema
    item = schema.get("items") if one.form == "json" and is_map(schema) else None
    name = schema_name(item)
    return f"Iterable[models.{name} | Fields]" if name else types[one.form]
