"""The report of a job as one HTML page, to read, search, print and send.

This module decides how the page is divided and which rows it shows. The page loads nothing from
anywhere and can be read without its script, which only searches. Its policy allows no other.
"""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from importlib.resources import files
from string import Template
from urllib.parse import quote

from .pace_plot import duration, pace_plot
from .summary import JobSummary, RowDone

PAGE = "report.html"
MOST_ROWS = 5_000
"""The rows that a page shows; with more, a browser is slow to open it."""
_LONGEST = 600
"""The characters of a message that are shown; HubSpot's messages can hold whole documents."""
_STATUSES = {
    "succeeded": "succeeded",
    "failed": "failed",
    "unknown": "unknown",
    "not_sent": "not sent",
}


def report_html(summary: JobSummary, rows: Iterable[RowDone]) -> str:
    """Return the whole page, which can be encoded as UTF-8 for any texts.

    Args:
        summary: The job.
        rows: The outcomes of all rows, in any order. They are read once, and few are kept.
    """
    home = files(__package__ or "")
    style, script = (home.joinpath(f"report.{end}").read_text("utf-8") for end in ("css", "js"))
    shown, total = _chosen(rows)
    return Template(home.joinpath("report.html").read_text("utf-8")).substitute(
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
        title=text(f"{summary.operation}: {summary.file}"),
        operation=text(summary.operation),
        file=text(summary.file),
        state=_state(summary),
        counts=_counts(summary),
        facts=_facts(summary),
        resume=_resume(summary),
        notes=_notes(summary),
        pace=_pace(summary),
        reasons=_reasons(summary, {row.line for row in shown}),
        mapping=_mapping(summary),
        rows=_rows(summary, shown, total),
        style=style,
        script=script,
    )


def text(given: str) -> str:
    """Return a text for any place in the page, also in an attribute.

    A character that cannot be seen, or that turns its surroundings around, becomes an escape.
    """
    if not given.isprintable():
        given = "".join(
            char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in given
        )
    return html.escape(given)


def _digest(content: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _cut(given: str) -> str:
    return given if len(given) <= _LONGEST else f"{given[:_LONGEST]} …"


def _chosen(rows: Iterable[RowDone]) -> tuple[list[RowDone], int]:
    """Return the rows to show, those that did not succeed first of all, and how many there are."""
    wrong: list[RowDone] = []
    right: list[RowDone] = []
    total = 0
    for row in rows:
        total += 1
        kept = right if row.status == "succeeded" else wrong
        if len(kept) < MOST_ROWS:
            kept.append(row)
    shown = [*wrong, *right[: MOST_ROWS - len(wrong)]]
    return sorted(shown, key=lambda row: row.index), total


def _state(summary: JobSummary) -> str:
    if summary.stopped is not None:
        return f'<p class="state stopped"><b>Stopped.</b> {text(summary.stopped)}</p>'
    rest = sum(count for status, count in summary.counts.items() if status != "succeeded")
    if rest:
        rows = "1 row did" if rest == 1 else f"{rest:,} rows did"
        return f'<p class="state partly"><b>Done.</b> {rows} not succeed.</p>'
    return '<p class="state done"><b>Done.</b> Every row succeeded.</p>'


def _counts(summary: JobSummary) -> str:
    return "".join(
        f'<div class="{status}"><dt>{words}</dt><dd>{summary.counts.get(status, 0):,}</dd></div>'
        for status, words in _STATUSES.items()
    )


def _facts(summary: JobSummary) -> str:
    seconds = _seconds(summary)
    waits = f"{summary.waits:,}, {duration(summary.waited)} in all" if summary.waits else "none"
    facts = {
        "Rows in the file": "not counted" if summary.rows is None else f"{summary.rows:,}",
        "Server": summary.base_url,
        "Began": f"{summary.started:%Y-%m-%d %H:%M:%S} UTC",
        "Ended": f"{summary.ended:%Y-%m-%d %H:%M:%S} UTC, after {duration(seconds)}",
        "Requests": f"{summary.requests:,}",
        "Waits": waits,
        "Command": summary.command,
        "Folder": summary.folder,
    }
    pairs = "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in facts.items())
    # A name is relative to the page, so that the folder can be moved.
    links = ", ".join(
        f'<a href="./{html.escape(quote(name, errors="replace"))}">{text(name)}</a>'
        for name in summary.files
        if name != PAGE
    )
    return pairs + (f"<dt>Files</dt><dd>{links}</dd>" if links else "")


def _seconds(summary: JobSummary) -> float:
    return max(0.0, (summary.ended - summary.started).total_seconds())


def _resume(summary: JobSummary) -> str:
    if summary.resume is None:
        return ""
    return _section("Go on", f"<pre><code>{text(summary.resume)}</code></pre>")


def _notes(summary: JobSummary) -> str:
    items = "".join(f"<li>{text(note)}</li>" for note in summary.notes)
    return _section("Notes", f"<ul>{items}</ul>") if items else ""


def _pace(summary: JobSummary) -> str:
    plot = pace_plot(summary.pace, _seconds(summary))
    return _section("Pace", f"<figure>{plot}</figure>") if plot else ""


def _reasons(summary: JobSummary, lines: set[int]) -> str:
    if not summary.reasons:
        return ""
    items: list[str] = []
    for reason in summary.reasons:
        where = ", ".join(
            f'<a href="#line-{line}">{line}</a>' if line in lines else str(line)
            for line in reason.lines
        )
        more = ", …" if len(reason.lines) < reason.rows else ""
        items.append(
            f'<tr><td class="number">{reason.rows:,}</td><td><code>{text(reason.kind)}</code></td>'
            f'<td class="message">{text(_cut(reason.message))}</td><td>{where}{more}</td></tr>'
        )
    return _section(
        "Reasons",
        _table(("Rows", "Kind", "What is wrong", f"First {text(summary.unit)}s"), items, "reasons"),
    )


def _mapping(summary: JobSummary) -> str:
    items = [
        f'<tr><th scope="row">{text(column)}</th><td>{text(meaning)}</td></tr>'
        for column, meaning in summary.mapping
    ]
    return _section("Columns", _table(("Column", "Meaning"), items, "mapping")) if items else ""


def _rows(summary: JobSummary, shown: list[RowDone], total: int) -> str:
    if not shown:
        return ""
    all_of_them = "These are all rows."
    if len(shown) < total:
        all_of_them = (
            f"These are {len(shown):,} of {total:,} rows, those that did not succeed first of all. "
            "<code>outcomes.jsonl</code> has every row."
        )
    head = (text(summary.unit.capitalize()), "Outcome", "Record", "What is wrong")
    return (
        '<section id="rows"><h2>Rows</h2>'
        f'<p class="small">{all_of_them}</p>'
        '<p class="search" hidden><label>Search <input id="search" type="search" '
        'autocomplete="off" spellcheck="false"></label> <output id="found"></output></p>'
        f"{_table(head, _lines(shown), 'rows')}</section>"
    )


def _lines(shown: list[RowDone]) -> Iterator[str]:
    named: set[int] = set()
    for row in shown:
        name = "" if row.line in named else f' id="line-{row.line}"'
        named.add(row.line)
        record = text(row.id or "")
        if row.evidence:
            record += f' <span class="small">by {text(row.evidence)}</span>'
        wrong = "" if row.kind is None else f"<code>{text(row.kind)}</code> "
        wrong += text(_cut(row.message or ""))
        if row.correlation_id:
            wrong += f' <span class="small">correlation id {text(row.correlation_id)}</span>'
        status = text(row.status)
        yield (
            f'<tr{name} class="{status}"><td class="number">{row.line}</td>'
            f'<td><span class="badge">{text(_STATUSES.get(row.status, row.status))}</span></td>'
            f'<td>{record}</td><td class="message">{wrong}</td></tr>'
        )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _table(head: tuple[str, ...], lines: Iterable[str], name: str) -> str:
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table class="{name}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
