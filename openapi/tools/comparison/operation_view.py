"""A uniform view of an operation: its scopes, parameters, bodies, limit and servers.

Decides which ways of writing an aspect mean the same: a body under `*/*` is JSON, one scope may be
required under several schemes, and a limit may stand in a sentence.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from attrs import field, frozen
from generation.yaml_source import Pointer, is_list, is_map

from . import sentences
from .description import DescribedOperation, Description
from .schema_forms import UNSAID, PartError, Parts, SchemaError, mappings

JSON = "JSON"
_JSON_TYPES = ("application/json", "*/*", "application/*")
# The default styles of parameters (OpenAPI 3, Parameter Object).
_STYLES = {"query": "form", "cookie": "form"}


class Need(NamedTuple):
    """A scheme that a token must be of, or a scope that it must have."""

    scheme: str
    scope: str = ""

    def __str__(self) -> str:
        return self.scope or f"{self.scheme}:"


AuthWay: TypeAlias = frozenset[Need]
"""All that a token needs to be let in."""

Texts = Mapping[str, tuple[str, ...]]


class Limit(NamedTuple):
    """The batch limit, its place, and if it is stated in a sentence (or nowhere)."""

    value: int | None
    at: Pointer
    in_words: bool


@frozen(eq=False)
class Parameter:
    """A parameter, with its references resolved."""

    raw: Mapping[str, Any]
    at: Pointer

    @property
    def key(self) -> tuple[str, str]:
        """The location and the name, which identify a parameter."""
        return str(self.raw.get("in")), str(self.raw.get("name"))

    @property
    def required(self) -> bool:
        """True if every request must have it."""
        return self.raw.get("required") is True

    @property
    def deprecated(self) -> bool:
        """True if it is marked as deprecated."""
        return self.raw.get("deprecated") is True

    @property
    def style(self) -> str:
        """The serialization style, in words."""
        style = self.raw.get("style") or _STYLES.get(self.key[0], "simple")
        exploded = self.raw.get("explode", style == "form")
        return f"{style}, repeated" if exploded else f"{style}, joined"

    @property
    def schema(self) -> Parts:
        """The schemas of its value."""
        if "schema" in self.raw:
            return ((self.raw["schema"], (*self.at, "schema")),)
        return Body(self.raw, self.at).schema


@frozen(eq=False)
class Body:
    """A request body or a response, with its references resolved."""

    raw: Mapping[str, Any] = field(factory=dict[str, Any])
    at: Pointer = ()

    @property
    def types(self) -> dict[str, tuple[str, Any]]:
        """The media types by name; all JSON types have the same name."""
        content: Any = self.raw.get("content", {})
        if not is_map(content):
            raise SchemaError((*self.at, "content"), "`content` is not a mapping.")
        return {_media(name): (name, value) for name, value in content.items()}

    @property
    def schema(self) -> Parts:
        """The schemas of the JSON body."""
        found: tuple[str, Any] = self.types.get(JSON, ("", None))
        name, media = found
        if not is_map(media) or "schema" not in media:
            return ()
        return ((media["schema"], (*self.at, "content", name, "schema")),)


def texts(raw: Mapping[str, Any], *keys: str) -> Texts:
    """Return the texts under these keywords, with white space normalized."""
    found = {key: raw[key] for key in keys if isinstance(raw.get(key), str)}
    return {key: (" ".join(text.split()),) for key, text in found.items() if text.strip()}


def unsaid(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the keywords about which a page says nothing."""
    return frozenset(raw.get(UNSAID, ()))


def parameters(one: DescribedOperation, side: Description) -> dict[tuple[str, str], Parameter]:
    """Return the parameters of an operation, including those that all operations of its path have.

    A parameter in the path is left out if the path does not name it: HubSpot's descriptions list
    `objectType` for paths that have `calls` in its place.
    """
    found: dict[tuple[str, str], Parameter] = {}
    for raw, place in ((one.item, one.at[:2]), (one.raw, one.at)):
        at = (*place, "parameters")
        given: Any = raw.get("parameters", [])
        if not is_list(given):
            raise SchemaError(at, "`parameters` is not a list.")
        for index, item in enumerate(given):
            followed, there = side.reader.follow(item, (*at, index))
            if not is_map(followed):
                raise SchemaError(there, "this is no parameter.")
            parameter = Parameter(followed, there)
            if parameter.key[0] != "path" or f"{{{parameter.key[1]}}}" in one.path:
                found[parameter.key] = parameter
    return found


def request(one: DescribedOperation, side: Description) -> Body:
    """Return the request body."""
    given: Any = one.raw.get("requestBody", {})
    return _body(given, side, (*one.at, "requestBody"))


def responses(one: DescribedOperation, side: Description) -> dict[str, Callable[[], Body]]:
    """Return the responses by status code, each as a function that reads it."""
    at = (*one.at, "responses")
    given: Any = one.raw.get("responses", {})
    if not is_map(given):
        raise SchemaError(at, "`responses` is not a mapping.")
    return {
        str(code).upper() if str(code) != "default" else "default": partial(
            _body, raw, side, (*at, code)
        )
        for code, raw in given.items()
    }


def ways(
    one: DescribedOperation, side: Description, *, by_scheme: bool
) -> frozenset[AuthWay] | None:
    """Return the ways in which a bearer token may be let in.

    A token needs scopes and, with `by_scheme`, to be of the scheme that a way names. The result is
    None if the description never mentions scopes.
    """
    given = one.raw.get("security", side.document.get("security"))
    if given is None:
        declared: Any = side.document.get("components")
        speaks = side.ours or (is_map(declared) and declared.get("securitySchemes"))
        return frozenset([AuthWay()]) if speaks and not unsaid(one.raw) else None
    if not is_list(given):
        raise SchemaError((*one.at, "security"), "`security` is not a list.")
    asked = [item for item in given if is_map(item)]
    open_to = [item for item in asked if all(_takes_tokens(name, side) for name in item)]
    if asked and not open_to:
        return frozenset()
    sets = {frozenset(_needs(item, by_scheme=by_scheme)) for item in open_to}
    if not by_scheme:  # a scheme without scopes beside others says nothing about scopes
        sets = {some for some in sets if some}
    return frozenset(sets or {AuthWay()})


def _takes_tokens(scheme: str, side: Description) -> bool:
    """Return True if a bearer token satisfies a security scheme; one that is unknown may be so.

    HubSpot describes the tokens of private apps as API keys in a header. Its old API key is part
    of the address, and its own pages use a cookie.
    """
    parts: Any = side.document.get("components")
    schemes: Any = parts.get("securitySchemes") if is_map(parts) else None
    said: Any = schemes.get(scheme) if is_map(schemes) else None
    if not is_map(said):
        return True
    if said.get("type") == "apiKey":
        return said.get("in") == "header"
    return said.get("type") != "mutualTLS" and str(said.get("scheme", "bearer")).lower() == "bearer"


def _needs(requirement: Mapping[str, Any], *, by_scheme: bool) -> Iterator[Need]:
    for scheme, names in requirement.items():
        of = scheme if by_scheme else ""
        if by_scheme:
            yield Need(of)
        yield from (Need(of, str(name)) for name in (names if is_list(names) else ()))


def servers(side: Description) -> frozenset[str]:
    """Return the addresses of the API."""
    given = side.document.get("servers")
    items = mappings(tuple((item, ()) for item in given)) if is_list(given) else ()
    return frozenset(str(item.get("url", "")).rstrip("/") for item in items)


def limit(
    body: Body, one: DescribedOperation, side: Description, known: int | None = None
) -> Limit:
    """Return the batch limit and its place, from the schema or else from a sentence.

    If the sentences name several numbers, `known` counts if it is among them.
    """
    at = body.at
    for form in side.reader.shape(body.schema).forms:
        if inputs := form.fields.get("inputs"):
            shape = side.reader.shape(inputs)
            at = shape.place("maxItems", "type")
            for inner in shape.forms:
                if isinstance(most := inner.rules.get("maxItems"), int):
                    return Limit(most, at, in_words=False)
    said = texts(one.raw, "summary", "description")
    found = (
        set[int]() if side.ours else sentences.limits(" ".join(text for (text,) in said.values()))
    )
    if known in found:
        return Limit(known, at, in_words=True)
    if len(found) > 1:
        several = " and ".join(map(str, sorted(found)))
        raise PartError((*one.at, "description"), f"two limits are named: {several}.")
    return Limit(found.pop() if found else None, at, in_words=True)


def _body(raw: Any, side: Description, at: Pointer) -> Body:
    followed, there = side.reader.follow(raw, at)
    if not is_map(followed):
        raise SchemaError(there, "this is no body.")
    return Body(followed, there)


def _media(name: str) -> str:
    plain = name.partition(";")[0].strip().lower()
    return JSON if plain in _JSON_TYPES or plain.endswith("+json") else plain
