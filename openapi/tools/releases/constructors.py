"""How a class is called, also where attrs makes that: griffe knows dataclasses only.

Decides which arguments attrs and named tuples make of the fields of a class, and what a default
is that stands somewhere else. Never runs the class; a test compares this with what Python says.
"""

from collections.abc import Iterator

from griffe import (
    Attribute,
    Class,
    Expr,
    ExprCall,
    ExprKeyword,
    ExprName,
    Function,
    Parameter,
    ParameterKind,
    Parameters,
)

_PACKAGES = ("attr", "attrs")
_MAKERS = {f"{package}.{name}" for package in _PACKAGES for name in ("define", "frozen", "mutable")}
_FIELDS = {f"{package}.field" for package in _PACKAGES}
_DEPTH = 5  # of constants that name constants


def of(thing: Class) -> Function | None:
    """The constructor that a class has or inherits, as far as it is ours."""
    try:
        lineage = [thing, *thing.mro()]
    except ValueError:  # not a class that Python would make
        lineage = [thing]
    for index, each in enumerate(lineage):
        written = each.members.get("__init__")
        if isinstance(written, Function):
            return written
        if _is_made(each):
            return _made(each, [one for one in reversed(lineage[index:]) if _is_made(one)])
    return None


def plain(value: str | Expr | None, depth: int = _DEPTH) -> str | None:
    """A default as text; of a constant of ours, what that stands for."""
    if isinstance(value, ExprName) and depth:
        try:
            stands_for = value.parent.modules_collection[value.canonical_path]  # type: ignore[union-attr]
            if isinstance(stands_for, Attribute) and stands_for.value is not None:
                return plain(stands_for.value, depth - 1)
        except (KeyError, AttributeError):
            pass
    return None if value is None else str(value)


def _is_made(thing: Class) -> bool:
    bases = {base.canonical_path for base in thing.bases if isinstance(base, Expr)}
    return _maker(thing) is not None or "typing.NamedTuple" in bases


def _maker(thing: Class) -> Expr | str | None:
    return next((one.value for one in thing.decorators if one.callable_path in _MAKERS), None)


def _made(thing: Class, lineage: list[Class]) -> Function:
    found: dict[str, Parameter] = {}
    for each in lineage:
        only_named = _arguments(_maker(each)).get("kw_only") == "True"
        for attribute in _fields(each):
            found.pop(attribute.name, None)  # a field that is written anew stands where that is
            if (parameter := _parameter(attribute, only_named)) is not None:
                found[attribute.name] = parameter
    first = Parameter("self", kind=ParameterKind.positional_or_keyword)
    rest = sorted(found.values(), key=lambda one: one.kind is ParameterKind.keyword_only)
    return Function("__init__", parameters=Parameters(first, *rest), parent=thing)


def _fields(thing: Class) -> Iterator[Attribute]:
    for member in thing.members.values():
        if isinstance(member, Attribute) and member.annotation is not None:
            # griffe has taken ClassVar off the annotation, and a property is no field.
            fixed = "class-attribute" in member.labels and "instance-attribute" not in member.labels
            if not fixed and "property" not in member.labels:
                yield member


def _parameter(attribute: Attribute, only_named: bool) -> Parameter | None:
    value, name = attribute.value, attribute.name.lstrip("_")
    default = value
    if isinstance(value, ExprCall) and value.canonical_path in _FIELDS:
        said = _arguments(value)
        if said.get("init") == "False":
            return None
        only_named = only_named or said.get("kw_only") == "True"
        name = said.get("alias", name).strip("'\"")
        made = f"{said['factory']}()" if "factory" in said else None
        default = said.get("default", made)
    kind = ParameterKind.keyword_only if only_named else ParameterKind.positional_or_keyword
    return Parameter(name, annotation=attribute.annotation, kind=kind, default=default)


def _arguments(call: Expr | str | None) -> dict[str, str]:
    """The named arguments of a call, as they are written."""
    if not isinstance(call, ExprCall):
        return {}
    named = [argument for argument in call.arguments if isinstance(argument, ExprKeyword)]
    return {argument.name: str(argument.value) for argument in named}
