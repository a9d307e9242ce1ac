"""The method `reconcile` of a family whose records can be looked up.

Decides which families have it, and what its signature and its docstring say.
"""

from .docstrings import docstring, wrapped

RECONCILES = "x-reconcile"
"""At a create: its records can be looked up, so its family has the method `reconcile`."""

_RECONCILE = (
    "Inputs that are `unknown` are looked up by the properties that were sent, among the records "
    "that were created while their requests were under way. Where exactly as many records are "
    "found as there are equal inputs, these have succeeded, and `evidence` is `properties`; if "
    "another program creates equal records at the same time, they may be its own. Otherwise an "
    "input stays `unknown`: HubSpot shows new records late, so one that is not found may exist.",
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
_RECONCILED = (
    "The outcomes in the same order. Records that can be of several inputs are in `.unmatched`."
)
_RAISES = "HubSpotBatchError: An error stopped it; `.result` holds the outcomes so far."


def reconcile_method(id_: str, name: str, result: str, family: str, *, tasks: bool) -> str:
    """Return the method as a part of a class.

    `id_` and `name` are those of the operation that creates the records, `result` is their model.
    """
    start, wait = ("async def", "await ") if tasks else ("def", "")
    model = f"models.{result}"
    first = f"Look up whether inputs of `{name}` were done whose responses were lost"
    docs = docstring(f"{first}; see `{family}.reconcile`.")
    if not tasks:
        arguments = "\n".join(
            wrapped(f"{argument}: {text}", 12) for argument, text in _LOOKED_UP.items()
        )
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
        f"assume_absent_after: float | None = None) -> BatchResult[{model}]:\n{docs}"
        f"        return {wait}self._reconcile({id_!r}, outcomes, after=after, "
        "assume_absent_after=assume_absent_after)\n"
    )
