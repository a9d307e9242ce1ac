"""A person at a page of the documentation: the blocks are run one after another, in one folder.

This module decides how a block is run without a process of its own, and which differences between
the output and what the page shows do not count: times, ports, and numbers that differ each time.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib.util
import inspect
import io
import logging
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hubspot_batch.cli.main import main
from hubspot_batch.sandbox import Sandbox, SandboxRequest, SandboxResponse, add_examples, served
from hubspot_batch.sandbox.fault_plans import parse
from hubspot_batch_client.contract import OPERATIONS
from packaging.requirements import Requirement
from page_blocks import ROOT, Block, Command, commands

SHOWN_URL = "http://127.0.0.1:8765"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"].keys()

# Whether the sandbox itself knows the dated paths.
DATED = hasattr(OPERATIONS["create_calls"], "offered")


class EveryVersion(Sandbox):
    """A sandbox that also knows the dated paths, which hubspot-sdk uses."""

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        if DATED:
            return super().handle(request)
        path = re.sub(r"^/crm/objects/\d{4}-\d\d/", "/crm/v3/objects/", request.path)
        path = re.sub(r"^/marketing/([a-z-]+)/\d{4}-\d\d/", r"/marketing/v3/\1/", path)
        return super().handle(evolve(request, path=path))


class Session:
    """One page's folder, sandbox, environment and names."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.said = ""
        self._patch = patch
        self._stack = contextlib.ExitStack()
        self.url = ""
        loggers = [logging.getLogger(name) for name in (None, "hubspot_batch", "httpx")]
        self._logging = [(one, [*one.handlers], one.level) for one in loggers]
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        for name in ("COLUMNS", "FORCE_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_COLOR", "1")
        patch.setenv("HUBSPOT_ACCESS_TOKEN", "anything")
        self.start_sandbox([])

    def start_sandbox(self, words: list[str]) -> None:
        """Serve a sandbox; if it names no other port, it takes the place of the one before."""
        faults = [words[at + 1] for at, word in enumerate(words) if word == "--fault"]
        sandbox = EveryVersion(faults=parse(faults), clock=time.time)
        add_examples(sandbox)
        url = self._stack.enter_context(served(sandbox))
        if "--port" not in words:
            self.url = url
            self._patch.setenv("HUBSPOT_BASE_URL", url)

    def close(self) -> None:
        self._stack.close()
        for logger, handlers, level in self._logging:
            logger.handlers[:] = handlers
            logger.setLevel(level)

    def run(self, block: Block) -> Iterator[tuple[Command | Block, str]]:
        """Run a block; yield what ran, and what it printed."""
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text.replace(SHOWN_URL, self.url), "utf-8")
        elif block.language == "python":
            self.said = self._python(block)
            yield block, self.said
        else:
            made = commands(block)
            for command in made:
                code, self.said = (
                    _shell(command.line, ROOT) if block.in_clone else self._command(command.line)
                )
                wanted = block.exit_code if command is made[-1] else 0
                assert code == wanted, f"{block}: exit code {code}\n{command.line}\n{self.said}"
                yield command, self.said

    def _python(self, block: Block) -> str:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        # Lines of a traceback are those of the page.
        source = "\n" * block.line + block.text.replace(SHOWN_URL, self.url)
        code = compile(source, str(block.page), "exec", flags, dont_inherit=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            made = eval(code, self.names)
            if inspect.iscoroutine(made):
                asyncio.run(made)
        return said.getvalue()

    def _command(self, line: str) -> tuple[int, str]:
        line = line.replace(SHOWN_URL, self.url)
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            for word in words[1:]:
                self._patch.setenv(*word.split("=", 1))
            return 0, ""
        if words[:2] == ["hubspot-batch", "sandbox"] and words[-1] == "&":
            self.start_sandbox(words)
            return 0, ""
        if words[:2] == ["pip", "install"]:
            return _check_install(words[2:]), ""
        if words[0] == "hubspot-batch" and not {"|", "&&", "<", "&"} & {*words}:
            return _in_process(words)
        return _shell(line, Path.cwd())


def _in_process(words: list[str]) -> tuple[int, str]:
    """Run the command in this process, which saves the time of its start."""
    into = None
    if ">" in words:
        at = words.index(">")
        words, into = words[:at], words[at + 1]
    said = io.StringIO()
    printed = io.StringIO() if into else said
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(said),
        Path(os.devnull).open() as nothing,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "stdin", nothing)
        code = main(words[1:])
    if into:
        Path(into).write_text(printed.getvalue(), "utf-8")
    return code, said.getvalue()


def _shell(line: str, folder: Path) -> tuple[int, str]:
    programs = Path(sys.executable).parent
    paths = [str(ROOT / name) for name in ("generated", "overrides")]
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout


def _check_install(words: list[str]) -> int:
    """Check that what is to be installed exists; the packaging tests install it."""
    for word in words:
        if word.startswith("hubspot-batch"):
            assert Requirement(word).extras <= EXTRAS, word
    return 0


def can_run(block: Block) -> bool:
    try:
        return not block.needs or importlib.util.find_spec(block.needs) is not None
    except ModuleNotFoundError:  # not even the package above it
        return False


_CHANGING = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), SHOWN_URL),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "DIGITS"),
    (re.compile(r"\b\d{7,}\b"), "NUMBER"),
    (re.compile(r"\b\d+(\.\d+)? requests/s\b"), "RATE"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|seconds|second)\b"), "SECONDS"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


def normalised(text: str) -> str:
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text.strip("\n")


def differs(shown: str, said: str) -> bool:
    """Whether a page shows something else than what was printed; `...` stands for any lines."""
    parts = re.split(r"^\.\.\.$\n?", normalised(shown) + "\n", flags=re.MULTILINE)
    pattern = ".*".join(map(re.escape, parts))
    return re.fullmatch(pattern, normalised(said) + "\n", re.DOTALL) is None
