"""The method `reconcile` of a family whose records can be looked up.

Decides which families have it, and what its signature and its docstring say.
"""

from collections.abc import Iterable

from .docstrings import docstring, wrapped

BY_KEY = "by-key"
"""At a create: its records can be looked up, so its family has the method `reconcile`."""

_RECONCILE = (
    "Inputs that are `unknown` are looked up by their key, by their stamp, or else by the "
    "properties that were sent, among the records that were created while their requests were "
    "under way; `evidence` says by which. By properties, inputs have succeeded where exactly as "
    "many records are found as there are equal inputs; if another program creates equal records at "
    "the same time, they may be its own. Otherwise an input stays `unknown`: HubSpot shows new "
    "records late, so one that is not found may exist. Only an input whose unique key is missing "
    "twice was certainly not done: it is `not_sent`, of the kind `absent`.",
    "Pass all outcomes of a run, in the process that made them: records that belong to others of "
    "its inputs are left out.",
)
_LOOKED_UP = {
    "outcomes": "A result, or any of its outcomes.",
    "after": "Seconds after the last request was given up at which to look. It ends as soon as "
    "all are found; times that have passed are made up for at once.",
    "assume_absent_after": "At your own risk: seconds after which an input that is not found "
    "counts as `not_sent`. None for never.",
}
_STAMP = (
    "A property of text that HubSpot has for these records, and that nothing else uses "
    "(`hubspot-batch stamp create {words}` makes one)"
)
_MARKS = {
    "key_property": "A property whose values HubSpot keeps unique. An input without a value gets "
    "one. An input that is refused because a record has its key has succeeded, if that record has "
    "its values.",
    "stamp_property": _STAMP + ". Each input gets a value by which its record is found again.",
}
_SETTLES = {
    "reconcile": "Look up inputs that may have been done, when everything was sent: True, or the "
    "seconds after which to look. See `reconcile`.",
    "assume_absent_after": _LOOKED_UP["assume_absent_after"],
    "resend": "Send an input again that was certainly not done. It needs `key_property`.",
}
_TYPES = {
    "key_property": "str | None = None",
    "stamp_property": "str | None = None",
    "reconcile": "bool | Iterable[float] = False",
    "assume_absent_after": "float | None = None",
    "resend": "bool = False",
}
_NAMED = {
    "key_property": "The property of the inputs whose values are unique, if the run was not told.",
    "stamp_property": "The property of the inputs that holds stamps, if the run was not told.",
}


def create_arguments(tag: str, *, keys: bool) -> dict[str, str]:
    """Return the arguments of a create whose records can be looked up, with their descriptions.

    `keys` is True if the records can be read by a unique property.
    """
    words = {name: text.format(words=tag.replace("_", "-")) for name, text in _MARKS.items()}
    found = {**words, **_SETTLES}
    return (
        found if keys else {n: t for n, t in found.items() if n not in ("key_property", "resend")}
    )


def signature(arguments: Iterable[str]) -> list[str]:
    """Return the parameters for arguments of a create."""
    return [f"{name}: {_TYPES[name]}" for name in arguments]


_RECONCILED = (
    "The outcomes in the same order. Records that can be of several inputs are in `.unmatched`."
)
_RAISES = "HubSpotBatchError: An error stopped it; `.result` holds the outcomes so far."


def reconcile_method(
    id_: str, name: str, result: str, family: str, *, keys: bool, tasks: bool
) -> str:
    """Return the method as a part of a class.

    `id_` and `name` are those of the operation that creates the records, `result` is their model.
    `keys` is True if the records can be read by a unique property.
    """
    start, wait = ("async def", "await ") if tasks else ("def", "")
    model = f"models.{result}"
    first = f"Look up whether inputs of `{name}` were done whose responses were lost"
    docs = docstring(f"{first}; see `{family}.reconcile`.")
    named = {one: text for one, text in _NAMED.items() if keys or one != "key_property"}
    if not tasks:
        said = {**_LOOKED_UP, **named}
        arguments = "\n".join(wrapped(f"{one}: {text}", 12) for one, text in said.items())
        docs = docstring(
            f"{first}.",
            *_RECONCILE,
            f"Args:\n{arguments}",
            "\n".join(["Returns:", wrapped(_RECONCILED, 12)]),
            "\n".join(["Raises:", wrapped(_RAISES, 12)]),
        )
    return (
        f"\n    {start} reconcile(self, outcomes: Iterable[Outcome[{model}]], *, "
        "after: Iterable[float] = (5.0, 15.0, 45.0, 120.0, 300.0), "
        f"assume_absent_after: float | None = None, {', '.join(signature(named))}"
        f") -> BatchResult[{model}]:\n{docs}"
        f"        return {wait}self._reconcile({id_!r}, outcomes, after=after, "
        f"assume_absent_after=assume_absent_after, {', '.join(f'{one}={one}' for one in named)})\n"
    )
