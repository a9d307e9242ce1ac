"""The changes between the public names of two source trees, as sentences.

Decides what breaks a program that was written for the old tree. What becomes of arguments is
griffe's to say; names, types, bases and the values of enumerations are compared here, since griffe
does not. Annotations are compared as they are written, without the modules of their names: a class
that moved is the same, as is a union in another order.
"""

import ast
from collections.abc import Iterator
from typing import TypeAlias

import griffe
from attrs import evolve, frozen
from comparison.findings import Severity
from griffe import Alias, Attribute, BreakageKind, Class, Expr, Function, Module, Object

from . import public_api
from .public_api import PublicNames

_BREAKING, _ADDITIVE = Severity.BREAKING, Severity.ADDITIVE
_ARGUMENT = ": the argument `"
_ANYTHING = frozenset({"Any", "object"})


@frozen(order=True)
class ApiChange:
    """One change of a public name."""

    path: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"`{self.path.removesuffix('.__init__')}`{self.text}"


def compare_names(old: PublicNames, new: PublicNames) -> list[ApiChange]:
    """Return the changes that affect a program that was written for `old` and runs with `new`."""
    found = [ApiChange(path, _BREAKING, " is gone.") for path in _outermost(old, new)]
    found += [ApiChange(path, _ADDITIVE, " is new.") for path in _outermost(new, old)]
    for path in old.keys() & new.keys():
        before, after = old[path], new[path]
        if before is not None and after is not None:
            found += (ApiChange(path, *said) for said in _differences(path, before, after))
    known = set(found)
    implied = _Implied(old, new, known)
    return sorted(change for change in known if not implied.by_another(change))


def _outermost(these: PublicNames, those: PublicNames) -> Iterator[str]:
    """Yield the names that only the first side has, without members of such names."""
    for path in these.keys() - those.keys():
        above = path.rpartition(".")[0]
        # A class without a constructor of its own can still be called.
        if (above in those or above not in these) and not path.endswith(".__init__"):
            yield path


@frozen
class _Implied:
    """Finds changes that follow from other changes, and need no line of their own."""

    _old: PublicNames
    _new: PublicNames
    _known: set[ApiChange]

    def by_another(self, change: ApiChange) -> bool:
        return self._by_its_field(change) or self._by_its_base(change)

    def _by_its_field(self, change: ApiChange) -> bool:
        """Return True if the field that the argument fills has the same change."""
        thing, constructor, _ = change.path.rpartition(".__init__")
        if not constructor or not change.text.startswith(_ARGUMENT):
            return False
        name, _, said = change.text.removeprefix(_ARGUMENT).partition("`")
        return evolve(change, path=f"{thing}.{name}", text=said) in self._known

    def _by_its_base(self, change: ApiChange) -> bool:
        """Return True if a public base class has the same change."""
        thing, _, name = change.path.rpartition(".")
        for names in (self._old, self._new):
            member = names.get(change.path)
            if member is None or member.parent is names.get(thing):
                continue
            for other, each in names.items():
                if each is member.parent:
                    return evolve(change, path=f"{other}.{name}") in self._known
        return False


_Said = Iterator[tuple[Severity, str]]


def _differences(path: str, old: Object, new: Object) -> _Said:
    # For generated code, the comparison of the descriptions decides what breaks: it knows what is
    # sent and what is returned.
    lenient = path.startswith(f"{public_api.CLIENT}.")
    if isinstance(old, Function) and isinstance(new, Function):
        yield from _functions(old, new, lenient)
    elif isinstance(old, Class) and isinstance(new, Class):
        for base in sorted(_bases(old) - _bases(new)):
            yield _BREAKING, f" is no longer a `{base}`."
    elif isinstance(old, Attribute) and isinstance(new, Attribute):
        yield from _types(" is", old.annotation, new.annotation, lenient, promised=True)
        if _is_member(old) and str(old.value) != str(new.value):
            yield _BREAKING, f" is `{new.value}`, it was `{old.value}`."
    elif old.kind is not new.kind:
        yield _BREAKING, f" is now of the kind {new.kind.value}, it was {old.kind.value}."


# ---------------------------------------------------------------- functions


def _functions(old: Function, new: Function, lenient: bool) -> _Said:
    for function in (old, new):
        for parameter in function.parameters:
            parameter.default = public_api.default_text(parameter.default)
    yield from _arguments(old, new)
    before = {parameter.name: parameter for parameter in old.parameters}
    for parameter in new.parameters:
        what = f"{_ARGUMENT}{parameter.name}` is"
        if (was := before.get(parameter.name)) is not None:
            yield from _types(what, was.annotation, parameter.annotation, lenient, promised=False)
        elif not parameter.required:
            yield _ADDITIVE, f"{what} new."
    yield from _types(" returns", old.returns, new.returns, lenient, promised=True)
    for label in sorted(_WAYS & (old.labels ^ new.labels)):
        yield _BREAKING, f" is {'no longer ' if label in old.labels else 'now '}{_HOW[label]}."
    forms = {_spelled(one) for one in new.overloads or ()}
    if any(_spelled(one) not in forms for one in old.overloads or () if forms):
        yield _BREAKING, ": one of its forms (overloads) is gone."


_HOW = {"async": "asynchronous", "classmethod": "a class method", "staticmethod": "a static method"}
_WAYS = frozenset(_HOW)


def _spelled(function: Function) -> str:
    arguments = [f"{one.name}: {one.annotation} = {one.default}" for one in function.parameters]
    return f"({', '.join(arguments)}) -> {function.returns}"


def _arguments(old: Function, new: Function) -> _Said:
    moved: list[str] = []
    for breakage in griffe.find_breaking_changes(_in_a_module(old), _in_a_module(new)):
        was, now = breakage.old_value, breakage.new_value
        if breakage.kind is BreakageKind.PARAMETER_MOVED:
            moved.append(was.name)
        elif breakage.kind in _SENTENCES:
            what = f"{_ARGUMENT}{(was or now).name}` "
            yield _BREAKING, what + _SENTENCES[breakage.kind].format(was=was, now=now)
    if moved:
        names = ", ".join(f"`{name}`" for name in moved)
        several = f"s {names} have" if len(moved) > 1 else f" {names} has"
        yield _BREAKING, f": the argument{several} another place among the arguments."


def _in_a_module(function: Function) -> Module:
    """Put a function into a module, since griffe compares only members."""
    holder = Module("holder")
    holder.members["call"] = Alias("call", function, parent=holder)
    return holder


_SENTENCES = {
    BreakageKind.PARAMETER_REMOVED: "is gone.",
    BreakageKind.PARAMETER_ADDED_REQUIRED: "is new, and required.",
    BreakageKind.PARAMETER_CHANGED_REQUIRED: "is required now.",
    BreakageKind.PARAMETER_CHANGED_DEFAULT: (
        "is `{now.default}` by default, it was `{was.default}`."
    ),
    BreakageKind.PARAMETER_CHANGED_KIND: "is {now.kind.value}, it was {was.kind.value}.",
}


# ---------------------------------------------------------------- types, bases, enumerations


def _types(
    what: str, old: str | Expr | None, new: str | Expr | None, lenient: bool, *, promised: bool
) -> _Said:
    """Compare two types: a returned one may become narrower, an accepted one wider."""
    if old is None or new is None:
        return
    was, now = str(old), str(new)
    if is_assignable(was, now) and is_assignable(now, was):
        return
    kept = is_assignable(now, was) if promised else is_assignable(was, now)
    if lenient:
        kept = is_assignable(was, now) or is_assignable(now, was)
    yield _ADDITIVE if kept else _BREAKING, f"{what} `{now}`, it was `{was}`."


def _bases(thing: Class) -> set[str]:
    """Return the names of all public base classes, without Generic."""
    try:
        lineage = [thing, *thing.mro()]
    except ValueError:
        lineage = [thing]
    names = {base.canonical_name for one in lineage for base in one.bases if isinstance(base, Expr)}
    names |= {base for one in lineage for base in one.bases if isinstance(base, str)}
    return {name for name in names if not name.startswith("_") and name != "Generic"}


def _is_member(attribute: Attribute) -> bool:
    """Return True for a member of an enumeration, whose value is sent to the server."""
    parent = attribute.parent
    if not isinstance(parent, Class):
        return False
    return any(base.endswith(("Enum", "Flag")) for base in _bases(parent))


# ---------------------------------------------------------------- annotations


@frozen
class Atom:
    """A type's name, and its arguments in brackets."""

    name: str
    arguments: "tuple[Parts, ...]" = ()


Parts: TypeAlias = frozenset[Atom]


def read(annotation: str) -> Parts:
    """Return the parts of a union, or one part for any other type."""
    try:
        return frozenset(_atoms(ast.parse(annotation.strip(), mode="eval").body))
    except SyntaxError:
        return frozenset({Atom(annotation)})


def is_assignable(given: str, promised: str) -> bool:
    """Return True if a value of the type `given` is accepted where `promised` is expected."""
    return _are_assignable(read(given), read(promised))


def _are_assignable(given: Parts, promised: Parts) -> bool:
    if any(one.name in _ANYTHING for one in promised):
        return True
    return all(any(_is_atom_assignable(one, other) for other in promised) for one in given)


def _is_atom_assignable(one: Atom, other: Atom) -> bool:
    if one.name != other.name:
        return False
    if not other.arguments:  # `list` promises less than `list[str]`
        return True
    pairs = zip(one.arguments, other.arguments, strict=False)
    return len(one.arguments) == len(other.arguments) and all(
        _are_assignable(*pair) for pair in pairs
    )


def _atoms(node: ast.expr) -> Iterator[Atom]:
    if isinstance(node, ast.BinOp):
        yield from _atoms(node.left)
        yield from _atoms(node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from read(node.value)
    elif isinstance(node, ast.Subscript):
        yield from _subscript(_name(node.value), node.slice)
    else:
        yield Atom(_name(node))


def _subscript(name: str, inner: ast.expr) -> Iterator[Atom]:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        yield from (Atom(ast.unparse(part)) for part in parts)
    elif name in ("Optional", "Union"):
        for part in parts:
            yield from _atoms(part)
        if name == "Optional":
            yield Atom("None")
    else:
        yield Atom(name, tuple(frozenset(_atoms(part)) for part in parts))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)
