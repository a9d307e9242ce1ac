"""A parser of command lines that names what was meant.

This module decides what is said of an option, a command or a choice that there is not. It never
repeats the value of an unknown option, which may be a token.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

WRONG_USE = 2

_INSTEAD = {
    "--dry-run": "--plan checks and sends nothing",
    "--token": "the token is taken from HUBSPOT_ACCESS_TOKEN",
}


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and where to read more.

    Files may stand on both sides of options.
    """

    def error(self, message: str) -> NoReturn:
        """End the process with a sentence, and say where to read more."""
        self.exit(WRONG_USE, f"{self.prog}: {message} ({self.prog} --help says more)\n")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Return the options; end the process if there are unknown ones."""
        found, extras = super().parse_known_args(args, namespace)
        self._refuse_unknown(extras)
        files: list[str] | None = getattr(found, "files", None)
        others = [one for one in extras if one != "--"]
        if others and files is None:
            self.error(f"unrecognized arguments: {' '.join(others)}")
        if files is not None:
            files += others
        return found, []

    def _refuse_unknown(self, extras: Sequence[str]) -> None:
        for one in extras:
            if one == "--":
                return
            if one.startswith("-") and one != "-":
                name = one.partition("=")[0]
                known = self._option_string_actions
                close = _nearest(name, known)
                instead = _INSTEAD.get(name, "")
                if instead and not (instead.startswith("--") and instead.split()[0] not in known):
                    self.error(f"unrecognized arguments: {name}; {instead}")
                hint = f"; did you mean {close}?" if close else ""
                self.error(f"unrecognized arguments: {name}{hint}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError:
            close = _nearest(str(value), map(str, action.choices or ()))
            if not close:
                raise
            sentence = f"invalid choice: {value!r}; did you mean {close}?"
            raise argparse.ArgumentError(action, sentence) from None


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    close = get_close_matches(name.lower().replace("_", "-"), [*names], 1, 0.7)
    return close[0] if close else ""
