"""The beginning of contract.py: the classes of its tables.

Decides what the handwritten package can ask of an operation. `@CEILING@` stands for a number.
"""

HEAD = '''"""The operations of the OpenAPI description: limits, paths, scopes, schemas.

Generated from openapi/openapi.yaml by openapi/tools/generation/contract_module.py;
"make regenerate" writes it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from attrs import field, frozen


CEILING = @CEILING@
"""The batch limit if none is published: that of most batch endpoints of the CRM."""


@frozen
class Argument:
    """An argument of an operation besides its inputs: in the path, in the query or in the body.

    `keyword` is its name in Python. `form` is "text", "date", "time", "integer", "number",
    "boolean", several of a kind ("texts", ...), or "json" for anything else. `schema` is its JSON
    Schema (draft 7, without references). `known` are the names of HubSpot's own properties that it
    may list, if these are known. `description` is what the API says of it.
    """

    name: str
    keyword: str
    place: Literal["path", "query", "body"]
    required: bool
    form: str
    schema: Any = field(eq=False, repr=False)
    known: tuple[str, ...] = ()
    description: str = field(default="", eq=False, repr=False)


class Version(NamedTuple):
    """An operation in one version of the API.

    `status` is the only status of a success, if errors of single inputs stand in it; None if such a
    response is a 207. `strict` says that the server enforces the account's rules on properties, and
    says in a warning if it has normalised a value. `absent` are the fields of an input that this
    version lacks, each as the names that lead to it.
    """

    name: str
    path: str
    status: int | None = None
    strict: bool = False
    absent: tuple[tuple[str, ...], ...] = ()


class _Offered:
    """An operation with a path in each version of the API."""

    __slots__ = ()
    path: str
    version: str
    versions: tuple[Version, ...]

    @property
    def offered(self) -> tuple[Version, ...]:
        """The operation in all versions, at least at its own path."""
        own = Version(self.version, self.path)
        known = any(one.path == self.path for one in self.versions)
        return self.versions if known else (own, *self.versions)

    def in_version(self, name: str) -> Version | None:
        """Return the operation in a version; None if it is not there."""
        if not self.versions:
            return Version(name, self.path)
        return next((one for one in self.versions if one.name == name), None)


@frozen(eq=False, repr=False)
class Listing(_Offered):
    """An operation that returns records page by page.

    `limit` is the most records on a page. `counted` says that a page tells how many records there
    are in all. `arguments` are those besides the limit and the position, and `body_schema` is the
    JSON Schema of the body, if it has one.
    """

    id: str
    kind: Literal["search", "list"]
    tag: str
    method: str
    path: str
    scopes: tuple[str, ...]
    page_model: str
    record_model: str
    limit: int
    counted: bool
    version: str
    versions: tuple[Version, ...]
    arguments: tuple[Argument, ...]
    body_schema: dict[str, Any] | None


@frozen
class Operation(_Offered):
    """One operation of the API, in the API's own names.

    `path` is that of `version`, which is the default. `versions` are all that it has; none if its
    path is the same in all.

    `kind` says what it does; an "action" is never sent twice. `max_inputs` is None if no limit is
    published; `limit` is the ceiling then. `success` holds the documented 2xx codes or classes. The
    models are the names of the schemas of an input (several for alternatives, none for an input
    that is one value), of a result and of the response, empty for a schema without a name.
    `input_schema` is the JSON Schema (draft 7, without references) of one item of `inputs`;
    `result_fields` are the names of the fields of one result.

    `results` is the field of the response that holds the results, empty if it has none. `key` are
    the fields of an input that name its record, and `result_key` those of a result that repeat
    them. `repeated` are the fields that a result shares with its input, if it can be matched by
    them alone. `record_key` is the field of a result with its record's id. `named_by` is the
    property that every record has from its input. `all_or_nothing` says that a refused request has
    done nothing. `writable` are the names of HubSpot's own properties that can be written, if these
    are known.
    """

    id: str
    kind: Literal["create", "read", "update", "upsert", "archive", "action"]
    tag: str
    method: str
    path: str
    scopes: tuple[str, ...]
    max_inputs: int | None
    success: tuple[str, ...]
    input_models: tuple[str, ...]
    result_model: str
    answer_model: str
    results: str
    result_fields: tuple[str, ...]
    key: tuple[str, ...]
    result_key: tuple[str, ...]
    repeated: tuple[str, ...]
    record_key: str
    named_by: str
    all_or_nothing: bool
    version: str
    versions: tuple[Version, ...]
    arguments: tuple[Argument, ...]
    input_schema: dict[str, Any] = field(eq=False, repr=False)
    writable: tuple[str, ...] = ()

    def schema_in(self, version: Version) -> Any:
        """Return the schema of an input, without the fields that a version lacks."""
        schema: Any = self.input_schema
        for names in version.absent:
            schema = _without(schema, names)
        return schema

    @property
    def limit(self) -> int:
        """The most inputs of one request."""
        return CEILING if self.max_inputs is None else self.max_inputs

    @property
    def query(self) -> tuple[str, ...]:
        """The names of the query parameters."""
        return tuple(one.name for one in self.arguments if one.place == "query")


def _without(schema: Any, names: tuple[str, ...]) -> Any:
    """Return a schema without a field, given by the names that lead to it."""
    if isinstance(schema, list):
        return [_without(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: _without(part, names) if key in ("items", "allOf", "anyOf") else part
        for key, part in schema.items()
    }
    first, rest = names[0], names[1:]
    if first in made.get("properties", {}):
        inner = {name: part for name, part in made["properties"].items() if name != first or rest}
        made["properties"] = {
            name: _without(part, rest) if name == first else part for name, part in inner.items()
        }
        made["required"] = [one for one in made.get("required", ()) if one in inner]
    return made


'''
