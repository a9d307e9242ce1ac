"""Completion of the command in bash, zsh and fish: a script for each, made from the parser.

This module decides which words stand for files and folders. shtab writes the scripts; they hold all
commands and options, so completing a word starts no Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, cast

import shtab

SHELLS = ("bash", "zsh", "fish")
_PATHS: dict[str, Any] = {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY}
_FILES_TOO = ("map",)
"""Options that take a file or something else."""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that completes the command in a shell."""
    for action in _actions(parser):
        if action.metavar in _PATHS or action.dest in _FILES_TOO:
            # The name of an attribute that shtab reads.
            vars(action)["complete"] = _PATHS.get(str(action.metavar), shtab.FILE)
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield all options and positional arguments, including those of subcommands."""
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        yield action
        choices: Any = action.choices
        if isinstance(choices, dict):
            for below in cast("dict[str, Any]", choices).values():
                if isinstance(below, argparse.ArgumentParser):
                    yield from _actions(below)
