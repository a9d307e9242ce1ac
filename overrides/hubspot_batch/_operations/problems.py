"""The problems of an input, and where they are.

This module decides how problems are worded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hubspot_batch.outcomes import Detail


class InputProblem(NamedTuple):
    """A reason not to send an input.

    Attributes:
        where: Its place in the input, such as `properties.hs_timestamp`; empty for all of it.
        reason: What is wrong there and what to do, to be read after the place.
        doubtful: Whether the value can be sent, but is most likely a mistake.
    """

    where: str
    reason: str
    doubtful: bool = False

    @property
    def sentence(self) -> str:
        """The place and the reason."""
        return f"{self.where or 'The input'} {self.reason}."

    @property
    def detail(self) -> Detail:
        """The problem in the form of HubSpot's own problems, which have a code as well."""
        return Detail(self.where.removeprefix("properties.") or None, None, self.sentence)


class InvalidInputError(Exception):
    """An input cannot be valid; the message names all its problems.

    Attributes:
        problems: What is wrong with it.
    """

    def __init__(self, problems: Iterable[InputProblem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        sentences = [one.sentence for one in self.problems]
        if any(one.doubtful for one in self.problems):
            sentences.append("To send an unlikely value, pass allow_implausible=True.")
        super().__init__(" ".join(sentences))


def year_problem(text: str) -> str:
    """Return why a date with a year below 1900 is implausible."""
    if text.startswith("1899-12-3"):
        cause = "spreadsheets write that for an empty cell, or for a time without a date"
    elif text.startswith("0001-01-01"):
        cause = "programs write that for a missing date"
    else:
        cause = "it is probably mistyped, or a year of two digits"
    return f"is {text}, in the year {int(text[:4])}; {cause}"
