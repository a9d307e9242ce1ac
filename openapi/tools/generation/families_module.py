"""The text of families.py: the methods that users call, in a class for each family of records.

Decides the names, arguments, types and docstrings of the methods, from the description. The methods
only pass their arguments on to a runner.
"""

import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from attrs import frozen

from . import docstrings, families_head, operation_model
from .keywords import RECONCILES
from .listing_method import listing_method
from .listing_model import Listing, listings
from .operation_meaning import TRACE_ID, ContractError, Fields, Meaning
from .operation_model import Item, Parameter
from .reconcile_method import BY_KEY, create_arguments, reconcile_method, signature
from .yaml_source import Pointer, is_map

_TYPES = {
    "text": "str",
    "date": "Date",
    "time": "Time",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "texts": "Iterable[str]",
    "integers": "Iterable[int]",
    "numbers": "Iterable[float]",
    "json": "Any",
}
# Names that methods, their module or the clients use already.
# The names in braces that the generator takes.
_IN_PATHS = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*")
_TAKEN_ARGUMENTS = (
    *("allow_implausible", "api_version", "assume_absent_after", "body", "chunk_size", "client"),
    *("inputs", "isolate", "journal", "key_property", "operation", "reconcile", "resend", "self"),
    "stamp_property",
)
_TAKEN_CLASSES = (
    *(
        "Any",
        "AsyncIterable",
        "AsyncIterator",
        "BatchResult",
        "Iterator",
        "RunRequest",
        "Callable",
        "Close",
        "Date",
        "Families",
    ),
    *(
        "Fields",
        "Inputs",
        "Iterable",
        "Journal",
        "JournalPath",
        "Mapping",
        "Outcome",
        "OutcomeIterator",
    ),
    *("Options", "Raw", "Runner", "Time", "TypeAlias", "Validate", "WithOptions"),
)

# The types of an input that is one value.
_BARE = {"string": "str", "integer": "int | str"}


@frozen
class _Method:
    """An operation in the form of a method."""

    id: str
    name: str
    kind: str
    summary: str
    description: str
    inputs: tuple[str, ...]
    bare: str
    by_id: bool
    input_description: str
    result: str
    limit: int | None
    traced: bool
    by_fields: bool
    parameters: tuple[Parameter, ...]
    reconciling: Mapping[str, str] | None

    @property
    def isolates(self) -> bool:
        """True if a refused request may still have done something that must not be done twice."""
        return self.kind in docstrings.ISOLATE and not self.traced

    @property
    def writes(self) -> bool:
        """True if inputs hold values that the server stores."""
        return self.kind not in ("read", "archive") and not self.bare

    @property
    def input(self) -> str:
        """The type of an input."""
        if self.bare:
            return _BARE[self.bare]
        named = [*(["str"] if self.by_id else []), *(f"models.{name}" for name in self.inputs)]
        return " | ".join([*named, "Fields"])

    def arguments(self, prefix: str) -> str:
        """Return the method's parameters after `self`."""
        found = [f"inputs: {prefix}Inputs[{self.input}]", "*"]
        for one in self.parameters:
            kind = _TYPES[one.form]
            found.append(
                f"{one.keyword}: {kind}" if one.required else f"{one.keyword}: {kind} | None = None"
            )
        found.append("chunk_size: int | None = None")
        found.append("journal: Journal | JournalPath | None = None")
        found += signature(self.reconciling or ())
        found += ["isolate: bool = False"] if self.isolates else []
        found += ["allow_implausible: bool = False"] if self.writes else []
        return ", ".join(found)

    @property
    def call(self) -> str:
        """The call that the method passes to the runner."""
        given = [repr(self.id), "chunk_size"]
        given += ["isolate=isolate"] if self.isolates else []
        given += ["allow_implausible=allow_implausible"] if self.writes else []
        given += [f"{one.keyword}={one.keyword}" for one in self.parameters]
        given += [f"{name}={name}" for name in self.reconciling or ()]
        given.append("journal=journal")
        return f"self._call({', '.join(given)}), inputs"

    @property
    def docstring(self) -> str:
        """The full docstring, with arguments, return value and exceptions."""
        limit = operation_model.CEILING if self.limit is None else self.limit
        why = ", since the description names no limit" if self.limit is None else ""
        arguments = {
            "inputs": f"{self._inputs} {self.input_description}",
            **{one.keyword: one.description for one in self.parameters},
            "chunk_size": f"Inputs to a request; {limit} by default and at most{why}.",
            "journal": docstrings.JOURNAL,
            **(self.reconciling or {}),
            **({"isolate": docstrings.ISOLATE[self.kind]} if self.isolates else {}),
            **({"allow_implausible": docstrings.ALLOW_IMPLAUSIBLE} if self.writes else {}),
        }
        lines = [docstrings.wrapped(f"{name}: {text}", 12) for name, text in arguments.items()]
        what = "id" if self.by_id else "input"
        return docstrings.docstring(
            self.summary,
            self.description,
            docstrings.ONCE if self.kind == "action" else "",
            docstrings.VALUES if self.writes else "",
            docstrings.TRACED if self.traced else "",
            "" if self.result else docstrings.SILENT,
            docstrings.BY_FIELDS if self.by_fields else "",
            "\n".join(["Args:", *lines]),
            "\n".join(["Returns:", docstrings.wrapped(docstrings.RETURNS.format(what=what), 12)]),
            "\n".join(["Raises:", docstrings.wrapped(docstrings.RAISES, 12)]),
        )

    @property
    def _inputs(self) -> str:
        if self.bare:
            return docstrings.BARE_INPUTS
        if self.by_id and self.kind != "read":
            return docstrings.IDS
        return docstrings.INPUTS[self.kind]

    def text(self, family: str, *, tasks: bool) -> str:
        """Return the method and its `_iter` twin as a part of a class."""
        start, wait, prefix = ("async def", "await ", "Async") if tasks else ("def", "", "")
        begun = self.summary.rstrip(".")
        see = f"{begun}; see `{family}.{self.name}`."
        yields = f"{begun}; yield the outcomes as they become known"
        docs = (docstrings.docstring(see), docstrings.docstring(f"{see.removesuffix('`.')}_iter`."))
        if not tasks:
            docs = (
                self.docstring,
                docstrings.docstring(
                    f"{yields}.", f"Like `{self.name}`, but {docstrings.ITERATES}"
                ),
            )
        result = f"models.{self.result}" if self.result else "None"
        head = f"(self, {self.arguments(prefix)})"
        more = ""
        if self.reconciling is not None:
            keys = "key_property" in self.reconciling
            about = (self.id, self.name, self.result, family)
            more = reconcile_method(*about, keys=keys, tasks=tasks)
        return (
            f"    {start} {self.name}{head} -> BatchResult[{result}]:\n{docs[0]}"
            f"        return {wait}self._runner.collect({self.call})\n\n"
            f"    def {self.name}_iter{head} -> {prefix}OutcomeIterator[{result}]:\n{docs[1]}"
            f"        return self._runner.iterate({self.call})\n{more}"
        )


def render(document: Mapping[str, Any]) -> str:
    """Return the text of families.py for a bundle, not yet formatted.

    Raises ContractError if something in the bundle cannot become a method.
    """
    families: dict[str, list[_Method | Listing]] = {}
    owners: dict[tuple[str, str], str] = {}
    for pointer, item in operation_model.operations(document):
        method = _method(document, pointer, item)
        tag = item[str(pointer[2])]["tags"][0]
        _check_tag((*pointer, "tags"), tag)
        _check_method((*pointer, "operationId"), method.name)
        families.setdefault(tag, []).append(method)
        for name in (method.name, f"{method.name}_iter"):
            owner = owners.setdefault((tag, name), method.id)
            if owner != method.id:
                text = f"{method.id} and {owner} would both be {tag}.{name}; rename one."
                raise ContractError((*pointer, "operationId"), text)
    for one in listings(document):
        tag, id_ = one.operation["tags"][0], one.operation["operationId"]
        _check_tag((*one.at, "tags"), tag)
        _check_method((*one.at, "operationId"), one.name)
        families.setdefault(tag, []).append(one)
        _check_arguments([*one.parameters])
        owner = owners.setdefault((tag, one.name), id_)
        if owner != id_:
            text = f"{id_} and {owner} would both be {tag}.{one.name}; rename one."
            raise ContractError((*one.at, "operationId"), text)
    said = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    parts = [families_head.HEAD]
    for tasks in (False, True):
        for tag, methods in sorted(families.items()):
            about = said.get(tag) or f"{tag.replace('_', ' ').capitalize()}."
            parts.append(_family(tag, about, methods, tasks=tasks))
        parts.append(_families(families, said, tasks=tasks))
    return "\n\n".join(parts)


def _method(document: Mapping[str, Any], pointer: Pointer, item: dict[str, Any]) -> _Method:
    operation = item[str(pointer[2])]
    id_, tag = operation["operationId"], operation["tags"][0]
    inputs = operation_model.inputs_of(document, pointer, operation)
    form = operation_model.item_of(document, inputs)
    result = operation_model.result_of(document, operation)
    answers = operation_model.has_results(document, operation)
    for named, what in (
        (bool(form.bare) or all(map(_is_object, form.models, form.alternatives)), "inputs"),
        (bool(result.answer and result.name) or not answers, "results"),
    ):
        if not named:
            text = f"an item of `{what}` or the response of {id_} has no schema with a name"
            raise ContractError(pointer, f"{text}; refer to one.")
    meaning = operation_model.meaning(document, pointer, operation)
    _, schema = operation_model.follow(document, (), inputs.schema["items"])
    parameters = operation_model.parameters_of(document, pointer, item, inputs)
    _check_arguments(parameters)
    kind = meaning.kind
    traced = any(TRACE_ID in one.schemas for one in form.alternatives)
    return _Method(
        id=id_,
        name=re.sub(rf"_{re.escape(tag)}(?=_|$)", "", id_, count=1),
        kind=kind,
        summary=operation.get("summary") or f"{id_.replace('_', ' ').capitalize()}.",
        description=operation.get("description", ""),
        inputs=form.models,
        bare=form.bare,
        by_id=bool(form.bare) or _named_by_id(meaning, form),
        input_description=schema.get("description", "") if is_map(schema) else "",
        result=result.name,
        limit=inputs.schema.get("maxItems"),
        reconciling=_reconciling(pointer, operation, kind),
        traced=traced and kind in ("create", "upsert"),
        by_fields=bool(meaning.repeated) and meaning.repeated != ("properties",),
        parameters=tuple(sorted(parameters, key=lambda one: not one.required)),
    )


def _reconciling(
    pointer: Pointer, operation: Mapping[str, Any], kind: str
) -> dict[str, str] | None:
    """Return the arguments of a create whose records can be looked up; None of any other."""
    how = operation.get(RECONCILES, False)
    at: Pointer = (*pointer, RECONCILES)
    if how is not True and how not in (False, BY_KEY):
        raise ContractError(at, f"`{RECONCILES}` is {how!r}; write true, or {BY_KEY}.")
    if how and kind != "create":
        raise ContractError(at, f"`{RECONCILES}` is about a create, and not about this; remove it.")
    return create_arguments(operation["tags"][0], keys=how == BY_KEY) if how else None


def _check_method(at: Pointer, name: str) -> None:
    if keyword.iskeyword(name):
        text = f"the method would be called `{name}`, a word of Python's own; rename the operation."
        raise ContractError(at, text)


def _check_arguments(parameters: list[Parameter]) -> None:
    """Refuse arguments that a method cannot take."""
    seen: dict[str, Parameter] = {}
    for one in parameters:
        first = seen.setdefault(normalize("NFKC", one.keyword), one)
        if first is not one:
            text = f"`{first.name}` and `{one.name}` are one argument in Python; leave one out."
            raise ContractError(one.at, text)
        # The generator begins a name with `field_` that no identifier can begin with.
        is_name = one.keyword.removeprefix("field_").isidentifier()
        if one.keyword in _TAKEN_ARGUMENTS or not is_name:
            raise ContractError(one.at, f"a method cannot take `{one.name}`; leave it out.")
        if one.place == "query" and one.form == "json":
            raise ContractError(one.at, f"`{one.name}` has no form in a query; describe another.")
        if one.place == "path" and not _IN_PATHS.fullmatch(one.name):
            text = f"`{one.name}` is no name in a path; write letters from a to z, digits, - or _."
            raise ContractError(one.at, text)
        if one.place == "path" and one.form not in ("text", "integer", "date"):
            text = f"`{one.name}` has no form in a path; describe a text, a whole number or a date."
            raise ContractError(one.at, text)


def _is_object(name: str, fields: Fields) -> bool:
    """Return True for the schema of an object that becomes a model."""
    return bool(name and fields.schemas)


def _named_by_id(meaning: Meaning, item: Item) -> bool:
    """Return True if the id of a record can stand for an input: it needs nothing else."""
    return meaning.kind in ("read", "archive") and all(
        len(meaning.key) == 1 and one.required <= {*meaning.key} for one in item.alternatives
    )


def _check_tag(at: Pointer, tag: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", tag):
        raise ContractError(at, f"the tag {tag} becomes an attribute; write it in snake_case.")
    if is_taken(tag):
        raise ContractError(at, f"a family cannot be called {tag}; choose another tag.")


def is_taken(tag: str) -> bool:
    """Return True if no attribute can have the name, or its class would hide another one."""
    return keyword.iskeyword(tag) or _class(tag) in _TAKEN_CLASSES


def _class(tag: str) -> str:
    return "".join(word.capitalize() for word in tag.split("_"))


def _family(tag: str, about: str, methods: list[_Method | Listing], *, tasks: bool) -> str:
    prefix, name = ("Async" if tasks else ""), _class(tag)
    head = f"class {prefix}{name}(_{prefix}Family):\n{docstrings.docstring(about, indent=4)}"
    texts = (
        listing_method(one, _TYPES, name, tasks=tasks)
        if isinstance(one, Listing)
        else one.text(name, tasks=tasks)
        for one in methods
    )
    return "\n".join([head, *texts])


def _families(tags: Mapping[str, object], said: Mapping[str, str], *, tasks: bool) -> str:
    prefix = "Async" if tasks else ""

    def lines() -> Iterator[str]:
        yield f"class {prefix}Families:"
        yield docstrings.docstring("The methods of a client, family by family.", indent=4)
        for tag in sorted(tags):
            yield f"    {tag}: {prefix}{_class(tag)}"
            yield docstrings.docstring(said[tag], indent=4) if said.get(tag) else ""
        given = f"runner: {prefix}Runner, call: Callable[..., RunRequest], "
        given += "reconcile: Callable[..., Any], pages: Callable[..., Any]"
        yield f"    def __init__(self, {given}) -> None:"
        for tag in sorted(tags):
            yield f"        self.{tag} = {prefix}{_class(tag)}(runner, call, reconcile, pages)"
        yield ""

    return "\n".join(lines())
