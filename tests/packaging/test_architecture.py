"""The house: which module may import which, what is public, and what must never be written."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import hubspot_batch
import pytest
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
from hubspot_batch._engine import runner as runs
from hubspot_batch_client import families

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "overrides" / "hubspot_batch"
NAME = "hubspot_batch"
GENERATED = "hubspot_batch_client"

# Packages and single modules, from top to bottom; each imports only what stands below it.
FLOORS = (
    ("cli",),
    ("jobs", "integrations"),
    ("files", "client"),
    ("_paging",),
    ("_lookup",),
    ("_operations",),
    ("_engine",),
    ("journal", "_transport"),
    ("_matching", "events"),
    ("outcomes", "options"),
    ("errors", "_json", "_cached_property", "_deprecation", "version"),
)
ORDER = tuple(name for floor in FLOORS for name in floor)
# What can be used without the rest: the sandbox, and the fixtures that give it to users' tests.
APART = ("sandbox", "testing")
# `_json` shares a handwritten module of the generated package.
GENERATED_USERS = (*("client", "_json", "_lookup", "_operations", "_paging", "sandbox"),)
SANDBOX_USERS = ("cli", "testing")
LONGEST = 400

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "examples" not in path.parts
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}


def modules(names: Any = MODULES) -> pytest.MarkDecorator:
    """Run a test for each module of the handwritten package."""
    return pytest.mark.parametrize("module", names)


def is_type_checking(node: ast.AST) -> bool:
    """Whether this is the block that only type checkers see."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """All parts of a module but what only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from at_run_time(child)


def imported(module: str) -> set[str]:
    """The dotted names of everything that a module imports, relative ones spelled out."""
    found: set[str] = set()
    here = [NAME, *module.split(".")]
    for node in at_run_time(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{start}.{alias.name}" for alias in node.names}
    return found


def ours(module: str) -> set[str]:
    """The modules of the handwritten package that a module imports."""
    found: set[str] = set()
    for dotted in imported(module):
        if not dotted.startswith(f"{NAME}."):
            continue
        parts = dotted.split(".")[1:]
        known = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
        packages = [f"{name}.__init__" for name in known]
        name = next((n for n in (*known, *packages) if n in MODULES), "__init__")
        found.add(name)
    return found


def family(module: str) -> str:
    """The package or single module at the top that a module belongs to."""
    return module.partition(".")[0]


def floor(name: str) -> int:
    """How far below the top a package stands."""
    return next(number for number, names in enumerate(FLOORS) if name in names)


# ---------------------------------------------------------------- who imports whom


def test_every_module_has_its_place() -> None:
    """A new package is put on a floor above, or stands apart."""
    assert {family(module) for module in MODULES} == {*ORDER, *APART, "__init__", "__main__"}


@modules([module for module in MODULES if family(module) in ORDER])
def test_imports_run_one_way(module: str) -> None:
    """A module knows its own package and what stands below it, and few know the sandbox."""
    here = family(module)
    known = {family(name) for name in ours(module)} - {here}
    if here in SANDBOX_USERS:
        known.discard("sandbox")
    assert {name for name in known if floor(name) <= floor(here)} == set()


@modules([module for module in MODULES if family(module) in APART])
def test_the_sandbox_stands_apart(module: str) -> None:
    """The sandbox knows its own modules, and of the rest only what the description says."""
    assert {family(name) for name in ours(module)} <= {"sandbox"}
    generated = {name for name in imported(module) if name.startswith(GENERATED)}
    assert {name.split(".")[1] for name in generated} <= {"contract"}


@modules()
def test_few_packages_know_the_generated_package(module: str) -> None:
    """A change of the generated code is felt where it is called and read, and nowhere else."""
    knows = any(name.split(".")[0] == GENERATED for name in imported(module))
    assert not knows or family(module) in GENERATED_USERS


def test_the_generated_package_knows_nothing_of_ours() -> None:
    """Generated code can be used by itself; only for type checkers its methods name our types."""
    for path in (ROOT / "generated").rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name == "families.py":
            tree = ast.parse(text)
            blocks = [
                ast.get_source_segment(text, node) for node in filter(is_type_checking, tree.body)
            ]
            assert text.count(f"{NAME}.") == "".join(map(str, blocks)).count(f"{NAME}.") > 0
        else:
            assert not re.search(rf"\b{NAME}\b", text), path


def test_the_imports_are_seen() -> None:
    """The tests above look at something."""
    assert ours("_engine.thread_driver") >= {"_engine.driver", "_engine.executors"}
    assert ours("_engine.runner") >= {"_engine.thread_driver"}  # inside of a function
    assert ours("sandbox.server") >= {"sandbox.asgi"}
    assert ours("cli.main") >= {"cli.demo.run", "sandbox.__init__"}
    assert f"{GENERATED}.contract.OPERATIONS" in imported("_operations.registry")


# ---------------------------------------------------------------- sync and async

PAIRS = [
    (HubSpotBatch, AsyncHubSpotBatch),
    *(
        (made, getattr(module, f"Async{name}"))
        for module in (families, runs)
        for name, made in vars(module).items()
        if inspect.isclass(made) and made.__module__ == module.__name__
        if hasattr(module, f"Async{name}")
    ),
]
ASYNC_NAMES = {"__aenter__": "__enter__", "__aexit__": "__exit__"}


def methods(made: type) -> dict[str, FunctionType]:
    """Return the methods of a class that users call, by their names on the synchronous one."""
    return {
        ASYNC_NAMES.get(name, name): value
        for name, value in vars(made).items()
        if isinstance(value, FunctionType)
        and (not name.startswith("_") or name in (*ASYNC_NAMES, *ASYNC_NAMES.values(), "__init__"))
        and not (name == "__init__" and hasattr(made, "__attrs_attrs__"))
    }


def synchronous(annotation: object) -> str:
    """An annotation, with the synchronous name of each asynchronous type."""
    return re.sub(r"\bAsync(?=[A-Z])", "", str(annotation))


def test_there_are_pairs() -> None:
    """The comparison below sees every resource."""
    names = {made.__name__ for made, _ in PAIRS}
    assert names == {
        *("Calls", "Campaigns", "Families", "HubSpotBatch", "MarketingEvents", "Runner")
    }


# They make a client, which waits for nothing.
MAKERS = ("__init__", "with_options")


@pytest.mark.parametrize(("blocking", "awaited"), PAIRS, ids=lambda made: made.__name__)
def test_sync_and_async_are_the_same(blocking: type, awaited: type) -> None:
    """Names, parameters, defaults and types are the same, except for what is awaited."""
    first, second = methods(blocking), methods(awaited)
    assert first.keys() == second.keys()
    assert first
    for name, function in first.items():
        here, there = inspect.signature(function), inspect.signature(second[name])
        assert [
            (p.name, p.kind, p.default, str(p.annotation)) for p in here.parameters.values()
        ] == [
            (p.name, p.kind, p.default, synchronous(p.annotation))
            for p in there.parameters.values()
        ], name
        assert str(here.return_annotation) == synchronous(there.return_annotation), name
        iterates = str(there.return_annotation).startswith(
            ("AsyncOutcomeIterator", "AsyncIterator")
        )
        assert inspect.iscoroutinefunction(second[name]) is not (iterates or name in MAKERS)
        assert not inspect.iscoroutinefunction(function)


def test_both_clients_have_the_same_attributes() -> None:
    """An attribute of one client is an attribute of the other."""
    clients = HubSpotBatch("t"), AsyncHubSpotBatch("t")
    first, second = ({n: type(v).__name__ for n, v in vars(client).items()} for client in clients)
    public = [name for name in first if not name.startswith("_")]
    assert public == [name for name in second if not name.startswith("_")]
    assert [first[name] for name in public] == [synchronous(second[name]) for name in public]


# ---------------------------------------------------------------- what is public


def test_the_public_names_are_listed() -> None:
    """`__all__` is sorted, and names everything that the package offers at its top."""
    offered = {
        name
        for name, value in vars(hubspot_batch).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert hubspot_batch.__all__ == sorted({*offered, "__version__"})


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def documented(node: ast.AST, where: str) -> Iterator[str]:
    """The public parts of a module that have no docstring."""
    if ast.get_docstring(node) is None:  # type: ignore[arg-type]
        yield where
    if isinstance(node, FUNCTIONS):
        return  # What it defines inside is its own affair.
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, *FUNCTIONS)) and not child.name.startswith("_"):
            yield from documented(child, f"{where}.{child.name}")


@modules()
def test_what_is_public_is_described(module: str) -> None:
    """Every public module, class and function has a docstring."""
    assert list(documented(TREES[module], module)) == []


@modules()
def test_modules_are_short(module: str) -> None:
    """A module can be read at once."""
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= LONGEST


TOOLS = ROOT / "openapi" / "tools"
TOOL_FILES = sorted(TOOLS.rglob("*.py"))
# What each package of tools imports, from the bottom up; the commands beside them may import all.
TOOL_PACKAGES: dict[str, set[str]] = {
    "generation": set(),
    "comparison": {"generation"},
    "pages": {"comparison", "generation"},
    "drafting": {"comparison", "generation"},
    "releases": {"comparison", "generation"},
}


@pytest.mark.parametrize("path", TOOL_FILES, ids=lambda path: str(path.relative_to(TOOLS)))
def test_a_tool_is_one_idea(path: Path) -> None:
    """It says at its top what it decides, and fits on few screens."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert (ast.get_docstring(ast.parse(text)) or "").count("\n") >= 2


def test_every_tool_package_is_listed() -> None:
    """A new package of tools is put into the table above, and a command stands beside them."""
    assert {path.parent.name for path in TOOLS.glob("*/__init__.py")} == {*TOOL_PACKAGES}
    assert {path.parent for path in TOOL_FILES} == {TOOLS, *(TOOLS / one for one in TOOL_PACKAGES)}


@pytest.mark.parametrize("package", TOOL_PACKAGES)
def test_tools_import_one_way(package: str) -> None:
    """A package of tools imports only packages below it, and never a command."""
    ours = {path.stem if path.parent == TOOLS else path.parent.name for path in TOOL_FILES}
    imports = {
        name.partition(".")[0]
        for path in (TOOLS / package).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in tool_imports(node)
    }
    assert imports & ours == TOOL_PACKAGES[package]
    below = [*TOOL_PACKAGES][: [*TOOL_PACKAGES].index(package)]
    assert TOOL_PACKAGES[package] <= {*below}


def tool_imports(node: ast.AST) -> list[str]:
    """The modules that a statement imports; relative imports stay inside a package of tools."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


# ---------------------------------------------------------------- what no module does

CLOCKS = re.compile(
    r"(time\.(sleep|(time|monotonic|perf_counter|process_time)(_ns)?|localtime|gmtime|ctime)"
    r"|(asyncio|anyio|trio)\.sleep"
    r"|datetime\.(datetime\.(now|utcnow|today)|date\.today))"
)
# Modules that hand a clock on; none looks at one.
DRIVERS = {"cli.main", "options", "sandbox.asgi", "sandbox.clock", "sandbox.server"}


def aliases(tree: ast.AST) -> dict[str, str]:
    """Return the full names of what a module imports."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def spelled_out(node: ast.AST, known: dict[str, str]) -> str:
    """The full dotted name of an expression, or nothing."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute):
        return f"{spelled_out(node.value, known)}.{node.attr}"
    return ""


@modules()
def test_only_drivers_know_a_clock(module: str) -> None:
    """Nothing calls a clock or sleeps, and only the drivers hand the real ones on."""
    known = aliases(TREES[module])
    called = [
        node
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call) and CLOCKS.fullmatch(spelled_out(node.func, known))
    ]
    named = [node for node in ast.walk(TREES[module]) if CLOCKS.fullmatch(spelled_out(node, known))]
    assert [node.lineno for node in called] == []
    assert not named or module in DRIVERS


def tracked() -> list[Path]:
    """The project's files: those that git knows, or all of them where there is no repository."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    names = [name for name in listed.split("\0") if name] or [
        str(path)
        for path in (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        if not any(part.startswith(".") or part in ("dist", "__pycache__") for part in path.parts)
    ]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


# Spelled so that this file does not hold what it looks for.
INDEX = re.compile(
    r"(pypi|python[h]osted)[.](org|python)"
    r"|--(extra-)?index-url[= ]+['\"]?http|\bindex-url\s*=\s*http"
)
MACHINE = re.compile(
    r"(?<![\w.})/-])(/(home|root|Users|tmp|mnt|work|workspace|opt|private|builds?)/[\w.-]|[A-Z]:\\Users\\)"
)


def test_no_file_names_a_machine_or_an_index() -> None:
    """The project can be set up anywhere, from any index."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        for pattern in (INDEX, MACHINE)
        if (match := pattern.search(line))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (INDEX, "https://pypi" + ".org/simple"),
        (INDEX, "--index-url " + "https://index.example/"),
        (MACHINE, "cd " + "/home" + "/me/project"),
        (MACHINE, "C:" + r"\Users" + r"\me"),
    ],
)
def test_the_search_finds(pattern: re.Pattern[str], text: str) -> None:
    """The search above would find what it looks for."""
    assert pattern.search(text)
