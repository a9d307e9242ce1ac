"""Completion of the command: the script for each shell, run by the shell where there is one."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hubspot_batch.cli import main as cli
from hubspot_batch_client.contract import OPERATIONS

ROOT = Path(__file__).parents[2]
SHELLS = ("bash", "zsh", "fish")


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The output of the command."""
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a folder."""
    (tmp_path / "calls.csv").touch()
    (tmp_path / "outcomes").mkdir()
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """An environment in which a shell reads no settings of a person."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}


def found(shell: str) -> str:
    """Where a shell is; a test that needs another is skipped, and says so."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each operation, and the options of the commands."""
    made = script(shell, capsys)
    for operation in OPERATIONS.values():
        assert operation.tag.replace("_", "-") in made
        assert operation.id.partition("_")[0] in made
    for word in ("sandbox", "demo", "completion", "resume", "max-failures", "by-content"):
        assert word in made
    assert str(ROOT) not in made


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_understands_the_script(
    shell: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is free of mistakes in the shell's own language."""
    path = folder / "script"
    path.write_text(script(shell, capsys), "utf-8")
    checked = subprocess.run(
        [found(shell), "-n", str(path)],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


CASES = [
    (["ca"], {"calls", "campaigns"}),
    (["calls", ""], {"create", "read", "update", "upsert", "archive", "search"}),
    (["calls", "create", "--res"], {"--resume", "--restart"}),
    (["calls", "create", "--progress", ""], {"auto", "bar", "lines", "none"}),
    (["calls", "create", "ca"], {"calls.csv"}),
    (["calls", "create", "--map", "ca"], {"calls.csv"}),
    (["calls", "create", "--out", "o"], {"outcomes"}),
    (["completion", ""], {*SHELLS}),
]
BASH = """
source "$1"; shift
COMP_WORDS=(hubspot-batch "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"
_shtab_hubspot_batch
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(("words", "wanted"), CASES)
def test_bash_completes(
    words: list[str], wanted: set[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, options, their values, files and folders."""
    path = folder / "script"
    path.write_text(script("bash", capsys), "utf-8")
    done = subprocess.run(
        [found("bash"), "--norc", "-c", BASH, "bash", str(path), *words],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {*done.stdout.split()} == wanted


@pytest.mark.parametrize(("words", "wanted"), CASES)
def test_fish_completes(
    words: list[str], wanted: set[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same."""
    path = folder / "script"
    path.write_text(script("fish", capsys), "utf-8")
    line = " ".join(["hubspot-batch", *words])
    done = subprocess.run(
        [found("fish"), "--no-config", "-c", f"source script; complete -C '{line}'"],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = {each.partition("\t")[0].rstrip("/") for each in done.stdout.splitlines()}
    assert wanted <= seen


def test_zsh_completes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A word that only one command fits is completed at the terminal."""
    zsh = found("zsh")
    (folder / "_hubspot-batch").write_text(script("zsh", capsys), "utf-8")
    begin = "fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; PS1='rea''dy> '\n"
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.execve(zsh, [zsh, "-f", "-i"], environment(folder))
    try:
        os.write(terminal, begin.encode())
        read_until(terminal, "ready> ")
        os.write(terminal, b"hubspot-batch marketing-events up\t")
        read_until(terminal, "marketing-events update")
        os.write(terminal, b"--max\t")
        read_until(terminal, "--max-failures")
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)


def read_until(terminal: int, words: str, seconds: float = 20) -> None:
    """Read what a terminal shows until some words appear."""
    seen, end = "", time.monotonic() + seconds
    while words not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x08", "", seen):
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, seen
        seen += os.read(terminal, 65536).decode(errors="replace")


def test_without_shtab_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    monkeypatch.delitem(sys.modules, "hubspot_batch.cli.completion", raising=False)
    assert cli.main(["completion", "bash"]) == 2
    assert 'pip install "hubspot-batch[cli]"' in capsys.readouterr().err
