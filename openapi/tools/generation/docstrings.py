"""The words of the docstrings of methods, and their form.

Decides what is said of the inputs of each kind of operation, and how texts are wrapped. What is
said of a single operation stands in its fragment.
"""

import textwrap

from .operation_meaning import TRACE_ID

MANY = "any iterable of any length, in `AsyncHubSpotBatch` an asynchronous one too."
INPUTS = {
    "create": f"Models, or mappings in the API's own names; {MANY}",
    "read": f"Ids; {MANY} An id that occurs twice gets two outcomes. Models, and mappings in the "
    "API's own names, are accepted too.",
    "update": f"Models, or mappings in the API's own names; {MANY} Two inputs for one record are "
    "sent one after the other.",
}
INPUTS["upsert"] = INPUTS["update"]
INPUTS["archive"] = (
    f"Models, or mappings in the API's own names; {MANY} An input that occurs twice gets two "
    "outcomes."
)
INPUTS["action"] = f"Models, or mappings in the API's own names; {MANY}"
IDS = (
    f"Ids; {MANY} An id that occurs twice gets two outcomes. Models, and mappings in the API's own "
    "names, are accepted too."
)
BARE_INPUTS = f"Ids or other texts; {MANY}"
ISOLATE = {
    "create": "Send a refused request again in halves, to find its bad inputs. A record could be "
    "created twice, because HubSpot does not promise that a refused request creates none.",
    "action": "Send a refused request again in halves, to find its bad inputs. An input could be "
    "carried out twice, because HubSpot does not promise that a refused request does nothing.",
}
JOURNAL = (
    "A file that records each outcome, or a `Journal`. A later call with it resumes: it sends only "
    "what is new or was not sent."
)
ALLOW_IMPLAUSIBLE = (
    "Send values that are most likely not meant: texts such as `nan` or `None`, years below 1900, "
    "and an `hs_timestamp` of 1970. They are refused by default."
)
VALUES = (
    "Values may be text, a number, a bool, an aware datetime, a date, an Enum, or a list of texts. "
    'None and NaN leave a property out, and "" clears it.'
)
TRACED = (
    f"Each input gets an `{TRACE_ID}` if it has none, so that HubSpot processes "
    "the good inputs of a request and names the bad ones."
)
SILENT = "HubSpot answers without results: the outcome of an input that was done has no `.result`."
BY_FIELDS = (
    "A result names no input, so it is matched by the fields that both have. Where these fit two "
    "inputs, the outcomes are `unknown`."
)
ONCE = "A request that may have been carried out is not sent again; its inputs are `unknown`."
RETURNS = "An outcome for each {what}, in their order. A partial failure raises no exception."
RAISES = "HubSpotBatchError: An error stopped the run; `.result` holds the outcomes so far."
ITERATES = (
    "only the inputs of the requests under way are in memory. When an error stops the run, the "
    "outcomes of all inputs that were read are yielded before it is raised."
)


def wrapped(text: str, indent: int, first: int | None = None) -> str:
    """Wrap a paragraph; without `first`, as an argument, whose later lines are indented more."""
    start = " " * (indent if first is None else first)
    return textwrap.fill(
        *(" ".join(text.split()), 100),
        initial_indent=start,
        subsequent_indent=start if first is not None else " " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def docstring(first: str, *parts: str, indent: int = 8) -> str:
    """Return a docstring, with its quotes, from a sentence and paragraphs or sections."""
    start = " " * indent
    texts = [
        part if "\n" in part else wrapped(part, indent, first=indent)
        for part in (first, *parts)
        if part.strip()
    ]
    texts[0] = texts[0].lstrip()
    shown = f"\n\n{start}".join(text.removeprefix(start) for text in texts)
    shown = shown.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    end = f"\n{start}" if "\n" in shown else " " if shown.endswith('"') else ""
    return f'{start}"""{shown}{end}"""\n'
