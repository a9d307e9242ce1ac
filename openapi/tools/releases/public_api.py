"""The public API of a source tree: the names that users can rely on, and their objects.

Decides what is public, by names alone, wherever a thing is defined:

- what a package lists in `__all__`, and the public members of its classes;
- the attributes of a public class: the methods of `HubSpotBatch.calls`, whatever its class is;
- the pytest fixtures for users, by their names;
- of the generated package also the classes and values of `types`, what `errors` has, and the
  functions of the modules below `api`.

griffe reads the tree and runs none of it. It builds the constructors of dataclasses only, so those
of attrs classes and named tuples are built here; a test compares them with Python's own.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

import griffe
from attrs import field, frozen
from griffe import (
    Alias,
    Attribute,
    Class,
    Expr,
    ExprCall,
    ExprKeyword,
    ExprName,
    Function,
    Module,
    Object,
    Parameter,
    ParameterKind,
    Parameters,
)

CLIENT, HANDWRITTEN = "hubspot_batch_client", "hubspot_batch"

# By public path; None if only the name counts, or griffe does not find the object.
PublicNames: TypeAlias = Mapping[str, Object | None]
_NamedObjects: TypeAlias = Iterator[tuple[str, Object | None]]

# Optional protocol methods, which users do not call.
_HIDDEN = frozenset({"__copy__", "__deepcopy__", "__del__"})
_PACKAGES = ("attr", "attrs")
_MAKERS = {f"{package}.{name}" for package in _PACKAGES for name in ("define", "frozen", "mutable")}
_FIELDS = {f"{package}.field" for package in _PACKAGES}
_DEPTH = 5  # of constants that name other constants


class UnreadablePackageError(Exception):
    """A package that griffe cannot read."""


def read(tree: Path) -> PublicNames:
    """Return the public names of the packages below `tree`.

    Raises UnreadablePackageError if a package is missing, or is not valid Python.
    """
    folders = [tree / "generated", tree / "overrides"]
    for folder, name in zip(folders, (CLIENT, HANDWRITTEN), strict=True):
        _check_readable(folder / name, tree)
    loader = griffe.GriffeLoader(search_paths=folders, allow_inspection=False)
    packages = [
        cast("Module", loader.load(name, try_relative_path=False)) for name in (CLIENT, HANDWRITTEN)
    ]
    loader.resolve_aliases(implicit=True, external=False)
    return _Reader(loader.modules_collection).names(*packages)


def _check_readable(package: Path, tree: Path) -> None:
    """Refuse a package with invalid Python; griffe would silently skip the module."""
    if not (package / "__init__.py").is_file():
        raise UnreadablePackageError(f"the package {package.name} is not there")
    for path in sorted(package.rglob("*.py")):
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError) as error:
            where = path.relative_to(tree).as_posix()
            raise UnreadablePackageError(f"{where} cannot be read ({error})") from error


@frozen
class _Reader:
    """Finds the public names in packages that griffe has loaded."""

    _loaded: griffe.ModulesCollection
    _public: set[str] = field(factory=set[str])

    def names(self, client: Module, handwritten: Module) -> PublicNames:
        top = dict([*self._listed(client), *self._of_the_client(client)])
        top.update([*self._listed(handwritten), *_fixtures(handwritten)])
        self._public.update(thing.path for thing in top.values() if thing is not None)
        found: dict[str, Object | None] = {}
        for path, thing in top.items():
            found.update(self._with_members(path, thing, ()))
        return found

    def _listed(self, package: Module) -> _NamedObjects:
        """Yield the names in `__all__` of a package and its subpackages."""
        for name in package.exports or ():
            thing = _target(package.members.get(str(name)))
            if isinstance(thing, Module):  # griffe confuses it with the module of that name
                thing = _target(thing.members.get(str(name), thing))
            yield f"{package.path}.{name}", thing
        for inner in package.modules.values():
            if inner.is_package or inner.is_subpackage:
                yield from self._listed(inner)

    def _of_the_client(self, client: Module) -> _NamedObjects:
        for module in _below(client, "errors", "types"):
            for name in module.exports or module.members:
                thing = _target(module.members.get(str(name)))
                # The functions of `types` are for generated models only.
                if not (module.name == "types" and isinstance(thing, Function)):
                    yield f"{module.path}.{name}", thing
        for api in _below(client, "api"):
            yield from self._endpoints(api)

    def _endpoints(self, api: Module) -> _NamedObjects:
        for inner in api.modules.values():
            yield from self._endpoints(inner)
        for name, member in api.members.items():
            if isinstance(member, Function) and member.is_public:
                yield f"{api.path}.{name}", member

    def _with_members(
        self, path: str, thing: Object | None, above: tuple[Class, ...]
    ) -> _NamedObjects:
        yield path, thing
        if not isinstance(thing, Class) or thing in above:
            return
        if not above:
            yield from self._constructor(path, thing)
        for name, member in thing.all_members.items():
            target = _target(member)
            if name == "__init__" or target is None or not _is_offered(name, target):
                continue
            yield f"{path}.{name}", target
            if isinstance(target, Attribute) and (held := self._class_of_value(target)):
                for inner, each in self._with_members(f"{path}.{name}", held, (*above, thing)):
                    if each is not held:
                        yield inner, each

    def _class_of_value(self, attribute: Attribute) -> Class | None:
        """Return the class of an attribute's value, if it is ours and not public by itself."""
        if isinstance(attribute.annotation, Expr):
            said = attribute.annotation
        elif isinstance(attribute.value, ExprCall):
            said = attribute.value.function
        else:
            return None
        parts = [said] if isinstance(said, str) else [said, *said.iterate()]
        for part in parts:
            thing = self._ours(part.canonical_path) if isinstance(part, Expr) else None
            if isinstance(thing, Class) and thing.path not in self._public:
                return thing
        return None

    def _ours(self, path: str) -> Object | None:
        try:
            return _target(self._loaded[path])
        except KeyError:
            return None

    def _constructor(self, path: str, thing: Class) -> _NamedObjects:
        """Yield the constructor, unless it requires an object of a class that is not public."""
        made = constructor_of(thing)
        if made is None:
            return
        for parameter in made.parameters:
            if isinstance(parameter.annotation, Expr) and parameter.required:
                for part in (parameter.annotation, *parameter.annotation.iterate()):
                    named = self._ours(part.canonical_path) if isinstance(part, ExprName) else None
                    if isinstance(named, Class) and named.path not in self._public:
                        return
        yield f"{path}.__init__", made


def _fixtures(module: Module) -> _NamedObjects:
    """Yield pytest fixtures; only their names count, because pytest passes the arguments."""
    for name, member in module.members.items():
        if isinstance(member, Module):
            yield from _fixtures(member)
        elif isinstance(member, Function) and _is_fixture(member):
            yield f"{module.path}.{name}", None


def _is_fixture(function: Function) -> bool:
    made = (decorator.callable_path == "pytest.fixture" for decorator in function.decorators)
    return function.is_public and any(made)


def _below(package: Module, *names: str) -> Iterator[Module]:
    yield from (package.modules[name] for name in names if name in package.modules)


def _target(thing: Object | Alias | None) -> Object | None:
    """Resolve an alias; return None if its target was not loaded."""
    try:
        return thing.final_target if isinstance(thing, Alias) else thing
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return None


def _is_offered(name: str, member: Object) -> bool:
    if name.startswith("__") and name.endswith("__"):
        return isinstance(member, Function) and not hasattr(object, name) and name not in _HIDDEN
    return not name.startswith("_")


# ---------------------------------------------------------------- constructors


def constructor_of(thing: Class) -> Function | None:
    """Return the constructor that a class has or inherits from our classes.

    griffe builds constructors of dataclasses only; those of attrs and named tuples are built here.
    """
    try:
        lineage = [thing, *thing.mro()]
    except ValueError:  # Python would refuse such a class
        lineage = [thing]
    for index, each in enumerate(lineage):
        written = each.members.get("__init__")
        if isinstance(written, Function):
            return written
        if _is_made(each):
            return _made(each, [one for one in reversed(lineage[index:]) if _is_made(one)])
    return None


def default_text(value: str | Expr | None, depth: int = _DEPTH) -> str | None:
    """Return a default as text. A constant of ours is replaced by its value."""
    if isinstance(value, ExprName) and depth:
        try:
            constant = value.parent.modules_collection[value.canonical_path]  # type: ignore[union-attr]
            if isinstance(constant, Attribute) and constant.value is not None:
                return default_text(constant.value, depth - 1)
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
            found.pop(attribute.name, None)  # a redeclared field moves to its new position
            if (parameter := _parameter(attribute, only_named)) is not None:
                found[attribute.name] = parameter
    first = Parameter("self", kind=ParameterKind.positional_or_keyword)
    rest = sorted(found.values(), key=lambda one: one.kind is ParameterKind.keyword_only)
    return Function("__init__", parameters=Parameters(first, *rest), parent=thing)


def _fields(thing: Class) -> Iterator[Attribute]:
    for member in thing.members.values():
        if isinstance(member, Attribute) and member.annotation is not None:
            # griffe removes ClassVar from the annotation, and a property is not a field.
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
    """Return the keyword arguments of a call as source text."""
    if not isinstance(call, ExprCall):
        return {}
    named = [argument for argument in call.arguments if isinstance(argument, ExprKeyword)]
    return {argument.name: str(argument.value) for argument in named}
