"""The reference, as Markdown from the code: methods, arguments, outcomes, errors, events, commands.

This module decides how a docstring becomes Markdown. The words are those of the fragments (methods)
and from the classes.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, get_args

import hubspot_batch
from hubspot_batch import errors, events, options
from hubspot_batch.cli.main import _parser
from hubspot_batch_client import families
from hubspot_batch_client.contract import OPERATIONS

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):$", re.MULTILINE)
_TITLES = {"Args": "Arguments"}


def methods() -> str:
    """Return the methods of each family of records."""
    found: list[str] = []
    for tag, family in sorted(_families().items()):
        found += [f"## {tag}", _docstring(family)]
        for name, method in vars(family).items():
            if not name.startswith("_"):
                found += _method(tag, name, method)
    return "\n\n".join(found)


def clients() -> str:
    """Return both clients, with their arguments."""
    found: list[str] = []
    for kind in (hubspot_batch.HubSpotBatch, hubspot_batch.AsyncHubSpotBatch):
        found += [f"## {kind.__name__}", _code(f"{kind.__name__}{_signature(kind.__init__)}")]
        found.append(_docstring(kind))
        for name, method in vars(kind).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                found += [f"### {kind.__name__}.{name}", _code(f"{name}{_signature(method)}")]
                found.append(_docstring(method))
    return "\n\n".join(found)


def values() -> str:
    """Return the other public names: outcomes, options, journal and functions."""
    events_ = {kind.__name__ for kind in _event_kinds()}
    found: list[str] = []
    for name in hubspot_batch.__all__:
        value = getattr(hubspot_batch, name)
        is_error = inspect.isclass(value) and issubclass(value, errors.HubSpotBatchError)
        if is_error or name in events_ or name.endswith("HubSpotBatch") or not callable(value):
            continue
        found += [f"## {name}"]
        if inspect.isfunction(value):
            found.append(_code(f"{name}{_signature(value)}"))
        found.append(_docstring(value))
        if inspect.isclass(value):
            found += _members(value)
    return "\n\n".join(found)


def exceptions() -> str:
    """Return the exceptions, the base first."""
    kinds = [value for value in vars(errors).values() if _is_error(value)]
    return "\n\n".join(f"## {kind.__name__}\n\n{_docstring(kind)}" for kind in kinds)


def event_kinds() -> str:
    """Return the events that `on_event` is called with."""
    return "\n\n".join(f"## {kind.__name__}\n\n{_docstring(kind)}" for kind in _event_kinds())


def operations() -> str:
    """Return a table of the operations: method, path, limit and scopes."""
    rows: list[str] = []
    for one in OPERATIONS.values():
        scopes = " ".join(f"`{scope}`" for scope in one.scopes)
        limit = f"{one.limit}{'' if one.max_inputs else ' (none published)'}"
        name = f"{one.tag}.{_method_name(one)}"
        rows.append(f"| `{name}` | `{one.method} {one.path}` | {limit} | {scopes} |")
    head = "| method | request | inputs to a request | scopes |\n|---|---|---|---|\n"
    return head + "\n".join(rows)


def settings() -> str:
    """Return the defaults of the client's options."""
    rate, retry, timeout = (
        options.DEFAULT_RATE_LIMIT,
        options.DEFAULT_RETRY,
        options.DEFAULT_TIMEOUT,
    )
    pace = f"{rate.requests} requests in {rate.seconds:g} s, then what the first response says"
    rows = [
        ("base address", options.DEFAULT_BASE_URL),
        ("rate limit", pace),
        ("retry", f"{retry.max_attempts} attempts, {retry.max_elapsed:g} s"),
        ("timeout", f"{timeout.read:g} s, {timeout.connect:g} s to connect"),
    ]
    return "| setting | default |\n|---|---|\n" + "\n".join(f"| {a} | {b} |" for a, b in rows)


def commands() -> str:
    """Return the help of each command, as the command prints it."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "88"
    try:
        found = [
            f"## {parser.prog}\n\n```text\n{parser.format_help().rstrip()}\n```"
            for parser in _parsers(_parser())
        ]
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n\n".join(found)


PARTS: dict[str, Callable[[], str]] = {
    "methods": methods,
    "clients": clients,
    "values": values,
    "exceptions": exceptions,
    "events": event_kinds,
    "operations": operations,
    "settings": settings,
    "commands": commands,
}


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of a command and of those below it that do something."""
    below = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not below or parser.prog.count(" ") == 0:
        yield parser
    for action in below:
        for one in action.choices.values():
            yield from _parsers(one)


def _families() -> dict[str, type[Any]]:
    return {
        one.tag: getattr(families, one.tag.title().replace("_", "")) for one in OPERATIONS.values()
    }


def _method_name(operation: Any) -> str:
    return str(operation.id).removesuffix(f"_{operation.tag}")


def _method(tag: str, name: str, method: Any) -> list[str]:
    call = f"hubspot.{tag}.{name}{_signature(method)}"
    return [f"### {tag}.{name}", _code(call), _docstring(method)]


def _event_kinds() -> list[type[Any]]:
    return list(get_args(events.Event))


def _is_error(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, errors.HubSpotBatchError)


def _members(kind: type[Any]) -> list[str]:
    """Return the documented properties and methods of a class."""
    found = []
    for name, value in vars(kind).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        if getattr(function, "__module__", "").startswith("attr"):
            continue
        shown = name if isinstance(value, property) else f"{name}{_signature(function)}"
        found += [f"### {kind.__name__}.{name}", _code(shown), _docstring(function)]
    return found


def _signature(function: Any) -> str:
    """Return a signature without `self`, an argument to a line if it is long."""
    made = inspect.signature(function)
    given = [one for one in made.parameters.values() if one.name not in ("self", "cls")]
    returns = "" if made.return_annotation in (inspect.Signature.empty, "None", "Self") else (
        f" -> {_plain(str(made.return_annotation))}"
    )  # fmt: skip
    parts: list[str] = []
    keyword_only = False
    for one in given:
        if one.kind is one.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        parts.append(_plain(str(one)))
    line = f"({', '.join(parts)}){returns}"
    if len(line) < 60:
        return line
    return "(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"


def _plain(text: str) -> str:
    """Return an annotation without the quotes and the addresses that Python adds."""
    text = re.sub(r"'([^']*)'", r"\1", text) if "DEFAULT" not in text else text
    return re.sub(r"<[^>]*>", "...", text).replace("models.", "")


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _docstring(value: Any) -> str:
    """Return a docstring of Google's form as Markdown."""
    text = inspect.cleandoc(value.__doc__ or "")
    head, *rest = _SECTION.split(text)
    parts = [head.strip()]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        listed, after = _indented(body)
        parts.append(f"**{_TITLES.get(title, title)}**")
        entries = list(_entries(listed))
        parts.append("\n".join(entries) if title != "Returns" else textwrap.dedent(listed).strip())
        if after.strip():
            parts.append(after.strip())
    return "\n\n".join(part for part in parts if part.strip())


def _indented(body: str) -> tuple[str, str]:
    """Split the indented lines of a section from the prose that follows."""
    lines = body.strip("\n").splitlines()
    at = next((n for n, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return "\n".join(lines[:at]), "\n".join(lines[at:])


def _entries(listed: str) -> Iterator[str]:
    """Yield `name: text` entries as items of a list."""
    for part in re.split(r"\n(?= {4}\S)", "\n" + listed)[1:]:
        joined = " ".join(part.split())
        name, colon, said = joined.partition(": ")
        yield f"- `{name}`: {said}" if colon else f"- {joined}"
