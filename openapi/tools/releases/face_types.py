"""Whether one annotation fits where another one was promised.

Decides by how the annotations are spelled, without the modules that names come from: a class that
moved is the same, and so is a union in another order. Never imports what it reads.
"""

import ast
from collections.abc import Iterator
from typing import TypeAlias

from attrs import frozen

_ANYTHING = frozenset({"Any", "object"})


@frozen
class Atom:
    """A name, and what stands in its brackets."""

    name: str
    arguments: "tuple[Parts, ...]" = ()


Parts: TypeAlias = frozenset[Atom]


def read(annotation: str) -> Parts:
    """The parts of a union; a single one for anything else."""
    try:
        return frozenset(_atoms(ast.parse(annotation.strip(), mode="eval").body))
    except SyntaxError:
        return frozenset({Atom(annotation)})


def fits(given: str, promised: str) -> bool:
    """Whether whoever counts on `promised` is content with `given`."""
    return _fits(read(given), read(promised))


def _fits(given: Parts, promised: Parts) -> bool:
    if any(one.name in _ANYTHING for one in promised):
        return True
    return all(any(_is(one, other) for other in promised) for one in given)


def _is(one: Atom, other: Atom) -> bool:
    if one.name != other.name:
        return False
    if not other.arguments:  # `list` promises less than `list[str]`
        return True
    pairs = zip(one.arguments, other.arguments, strict=False)
    return len(one.arguments) == len(other.arguments) and all(_fits(*pair) for pair in pairs)


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
