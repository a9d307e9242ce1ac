"""Docstrings of generated methods: sentences, paragraphs and sections, wrapped to the line.

Decides how a docstring is laid out, and how its text is written in Python.
"""

import textwrap


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
