"""A stranger with the built site and a wheel on an index does each task of the front page.

The package is installed from an index on loopback into a fresh environment, and every block is
taken from the site and run there by a shell or by Python, as a person would.
"""

from __future__ import annotations

import html
import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from loopback_index import index, pack, pack_installed
from page_blocks import DOCS, ROOT, RUN, Block, blocks, commands
from page_session import DATED, SHOWN_URL, differs

SITE = (ROOT / os.environ.get("DIST", "dist") / "docs").resolve()
# The programs that a stranger has already, for the pages that are about them.
OWN = ("fastapi", "hubspot-api-client", "hubspot-sdk", "pandas", "pytest")
SECONDS = 60
EXTRAS = frozenset({"sandbox", "cli", "files"})

# It runs blocks of Python one after another, like a console, and says where each one ends.
CONSOLE = """
import ast, asyncio, inspect, json, sys
names = {"__name__": "__main__"}
sys.path.insert(0, "")
for line in sys.stdin:
    code = compile(json.loads(line), "page", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if inspect.iscoroutine(made):
        asyncio.run(made)
    print("\\n<<done 0>>", flush=True)
"""


def front_page() -> list[list[str]]:
    """The pages that each task of the front page leads to."""
    if not SITE.is_dir():
        return []
    text = (SITE / "index.html").read_text("utf-8")
    (listed,) = re.findall(r"<ol.*?</ol>", text, re.DOTALL)
    tasks = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
    return [re.findall(r'href="([^"#]+)\.html', task) for task in tasks]


TASKS = front_page()


def shown_blocks(name: str) -> list[Block]:
    """The blocks of a page, with their texts taken from the site."""
    text = (SITE / f"{name}.html").read_text("utf-8")
    texts = [
        html.unescape(re.sub(r"<[^>]+>", "", found))
        for found in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)
    ]
    found = list(blocks(DOCS / f"{name}.md"))
    assert [one.strip() for one in texts] == [block.text.strip() for block in found]
    return found


class Process:
    """A program that is given pieces of work, and prints a line at the end of each."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def do(self, piece: str) -> tuple[int, str]:
        """Give it a piece of work; return the code and the output."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(piece)
        self._process.stdin.flush()
        said = ""
        hung = threading.Timer(SECONDS, self._process.kill)
        hung.start()
        try:
            for line in self._process.stdout:
                if done := re.fullmatch(r"<<done (\d+)>>\n", line):
                    return int(done[1]), said.removesuffix("\n")
                said += line
        finally:
            hung.cancel()
        return -1, said

    def end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@frozen
class Stranger:
    """A shell that stays open, with the programs of a fresh environment first in its path."""

    shell: Process
    programs: Path
    port: int
    home: Path

    def run(self, command: str) -> tuple[int, str]:
        line = command.replace(SHOWN_URL, self.url)
        if line.startswith("hubspot-batch sandbox") and "--port" not in line:
            line = line.replace(" sandbox", f" sandbox --port {self.port}", 1)
        quiet = " >sandbox.log 2>&1 &" if line.endswith("&") else ""
        line = line.removesuffix("&") + quiet
        return self.shell.do(f"{line}\nprintf '\\n<<done %s>>\\n' $?\n")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def console(self, folder: Path) -> Process:
        """Start Python with the shell's environment."""
        _, said = self.run("env -0 | tr '\\0' '\\n' | grep ^HUBSPOT_")
        given = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        return Process([str(self.programs / "python"), "-c", CONSOLE], folder, plain | given)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    if not TASKS:
        pytest.skip("there is no site: make docs")
    home = tmp_path_factory.mktemp("stranger")
    files, environment = home / "index", home / "environment"
    files.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", files]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    seen: set[str] = set()
    pack_installed("hubspot-batch", EXTRAS, files, seen)
    for name in OWN:
        pack(importlib.metadata.distribution(name), files)
        pack_installed(name, frozenset(), files, seen)
    venv.create(environment, symlinks=True, with_pip=True)
    programs = environment / "bin"
    with index(files, home) as url:
        plain = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            "PIP_INDEX_URL": f"{url}/simple/",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_COMPILE": "1",
            "PIP_QUIET": "1",
        }
        shell = Process(["bash"], home, plain)
        made = Stranger(shell, programs, free_port(), home)
        try:
            code, said = made.run(f"pip install {' '.join(OWN)}")
            assert code == 0, said
            yield made
        finally:
            made.run("kill $(jobs -p) 2>/dev/null; wait")
            shell.end()
            shutil.rmtree(files)


def walk(stranger: Stranger, name: str, folder: Path) -> None:
    """Run the blocks of a page in a folder, and compare what they print."""
    stranger.run(f"cd '{folder}'")
    console = stranger.console(folder) if name != "start" else None
    said = ""
    try:
        for block in shown_blocks(name):
            where = f"{name}, line {block.line}"
            if block.is_output:
                assert not differs(block.text, said), f"{where} shows\n{block.text}\nnot\n{said}"
            elif block.file:
                (folder / block.file).write_text(block.text.replace(SHOWN_URL, stranger.url))
            elif block.reason:
                continue
            elif block.language == "python":
                console = console or stranger.console(folder)
                text = block.text.replace(SHOWN_URL, stranger.url)
                code, said = console.do(json.dumps(text) + "\n")
                assert code == 0, f"{where}\n{said}"
            elif block.language in RUN:
                *first, last = commands(block)
                for command in (*first, last):
                    code, said = stranger.run(command.line)
                    wanted = block.exit_code if command is last else 0
                    assert code == wanted, f"{where}: exit code {code}\n{said}"
                    if command.shown is not None:
                        assert not differs(command.shown, said), f"{where} shows not\n{said}"
    finally:
        if console is not None:
            console.end()


def test_there_are_ten_tasks() -> None:
    """The front page leads to ten tasks, and the first one installs."""
    if not SITE.is_dir():
        pytest.skip("there is no site: make docs")
    assert len(TASKS) == 10
    assert TASKS[0] == ["start"]


@pytest.mark.parametrize("task", range(10))
def test_task(stranger: Stranger, task: int, tmp_path: Path) -> None:
    """All pages of a task, in a folder each; the first task installs and starts the sandbox."""
    for number, name in enumerate(TASKS[task]):
        if name == "migrate/hubspot-sdk" and not DATED:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        walk(stranger, name, folder)
