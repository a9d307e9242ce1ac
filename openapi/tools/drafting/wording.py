"""The words of a new fragment, made from the names of operation, family and fields.

Decides every summary and description. No sentence of the published description is used: these
texts become docstrings, and are ours.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from .names import spoken, with_article, words_of

Place: TypeAlias = Literal["input", "argument", "result"]

_FIELDS: Mapping[str, str] = {
    "id": "The {one}'s id.",
    "idProperty": "The property of which `id` is a value; without it, `id` is HubSpot's id.",
    "objectWriteTraceId": "Your own name for this input, repeated where the server speaks of it.",
    "createdAt": "When the {one} was created.",
    "updatedAt": "When the {one} was last changed.",
    "archived": "Whether the {one} has been deleted.",
    "archivedAt": "When the {one} was deleted.",
    "associations": "The records to connect the {one} with; an empty list when there are none.",
    "propertiesWithHistory": "Earlier values of properties.",
    "new": "Whether the {one} was created.",
    "url": "Where the {one} is found in HubSpot's interface.",
    "warnings": "Remarks of the server.",
}
# Where a field means something else beside the inputs, or in a result.
_ELSEWHERE: Mapping[Place, Mapping[str, str]] = {
    "input": {},
    "argument": {
        "archived": "Whether deleted {many} are meant.",
        "idProperty": "The property of which the ids are values; without it, they are HubSpot's.",
        "properties": "The names of the properties to return.",
        "propertiesWithHistory": "The names of properties to return with their earlier values.",
    },
    "result": {
        "objectWriteTraceId": "The name that the input carried; HubSpot does not always repeat it.",
    },
}


class OperationWords(NamedTuple):
    """The texts about one kind of operation."""

    summary: str
    description: str
    input: str
    inputs: str
    response: str


_KINDS: Mapping[str, OperationWords] = {
    "create": OperationWords(
        "Create {a one} for each input.",
        "Sending the same input again creates it again. Results come in any order.",
        "{A one} to create.",
        "{Many} to create.",
        "The {many} were created, or some of them (207).",
    ),
    "read": OperationWords(
        "Read the {many} of the given ids.",
        "Results come in any order.",
        "{A one} to read.",
        "{Many} to read.",
        "The {many} that were found, with errors for the others (207).",
    ),
    "update": OperationWords(
        "Set new values of {many}.",
        "What an input leaves out stays as it is. Results come in any order.",
        "New values for {a one}.",
        "{Many} to update.",
        "The {many} were updated, or some of them (207).",
    ),
    "upsert": OperationWords(
        "Update {many}, and create those that do not exist.",
        "Sending the same input again changes nothing more. Results come in any order.",
        "Values for {a one}.",
        "{Many} to update or create.",
        "The {many} were updated or created, or some of them (207).",
    ),
    "archive": OperationWords(
        "Archive the {many} of the given ids.",
        "Archiving {a one} again changes nothing more.",
        "{A one} to archive.",
        "{Many} to archive.",
        "The {many} were archived.",
    ),
}
_ANY_KIND = OperationWords(
    "{Kind} {many}.",
    "A request is never sent twice.",
    "{A one} to {kind}.",
    "{Many} to {kind}.",
    "The outcome of a batch of {many}.",
)


class Wording:
    """The texts of a fragment about one family."""

    def __init__(self, tag: str, kind: str) -> None:
        one, many = spoken(tag, one=True), spoken(tag)
        article = with_article(one)
        self._words = {
            "one": one,
            "many": many,
            "a one": article,
            "kind": kind.replace("_", " "),
            "A one": _begun(article),
            "Many": _begun(many),
            "Kind": _begun(kind.replace("_", " ")),
        }
        words = _KINDS.get(kind, _ANY_KIND)
        self.operation = OperationWords(*map(self._fill, words))

    def result(self) -> str:
        """Describe a result."""
        return self._fill("{A one} as the server holds it.")

    def results(self) -> str:
        """Describe the list of results."""
        return self._fill("The {many}, in any order.")

    def answer(self) -> str:
        """Describe a successful response."""
        return self._fill("The outcome of a batch of {many}.")

    def part(self, field: str) -> str:
        """Describe an object, a map or an enumeration within an input or a result."""
        words = " ".join(word.lower() for word in words_of(field)) or "part"
        return f"The {words} of {self._words['a one']}."

    def field(self, name: str, kind: str, form: str | None, place: Place) -> tuple[str, bool]:
        """Describe a field; the second value is True if only its name was known."""
        if name in (elsewhere := _ELSEWHERE[place]):
            return self._fill(elsewhere[name]), False
        if name in _FIELDS:
            return self._fill(_FIELDS[name]), False
        words = [word.lower() for word in words_of(name)] or [name]
        if kind == "boolean":
            rest = words[1:] if words[0] in ("is", "has", "can") and words[1:] else words
            verb = {"has": "it has", "can": "it can"}.get(words[0], "it is")
            return f"Whether {verb} {' '.join(rest)}.", True
        if form == "date-time" and words[-1] == "at" and words[-2:-1] and words[-2][-1:] in "dn":
            return f"When it was {' '.join(words[:-1])}.", True
        return f"The {' '.join(words)}.", True

    def _fill(self, text: str) -> str:
        return text.format_map(self._words)


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
