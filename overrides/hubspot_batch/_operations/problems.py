"""The problems of an input, and where they are.

This module decides the form in which problems are named.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hubspot_batch.outcomes import Detail


class InputProblem(NamedTuple):
    """Something for which an input is not sent.

    Attributes:
        where: Its place in the input, such as `properties.hs_timestamp`; empty for all of it.
        reason: What is wrong there and what to do, to be read after the place.
        doubtful: Whether it can be sent, but is most likely not what was meant.
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
        """The problem in the form in which HubSpot's own are given, which has a code as well."""
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
    """Return why a date is implausible whose year is below 1900."""
    if text.startswith("1899-12-3"):
        cause = "spreadsheets write that for an empty cell, or for a time without a date"
    elif text.startswith("0001-01-01"):
        cause = "programs write that for a missing date"
    else:
        cause = "it is probably mistyped, or a year of two digits"
    return f"is {text}, in the year {int(text[:4])}; {cause}"
