"""The pace of a job as a picture: requests a second over time, as SVG in a page.

This module decides the scales and the shapes. Colours belong to the page's style, and each number
of the picture comes from the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil

from .summary import PacePoint

_WIDTH, _HEIGHT = 760, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 12, 28
_LINES, _TICKS = 4, 5
_ROUND = (1.0, 2.0, 5.0, 10.0)
# Steps that people count time in, in seconds.
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def pace_plot(points: Sequence[PacePoint], seconds: float) -> str:
    """Return the picture, or nothing if there is nothing to draw.

    Args:
        points: Requests over time, in order.
        seconds: How long the job took.
    """
    steps = [*_steps(points, seconds)]
    if not steps:
        return ""
    end = steps[-1][1]
    most = max(rate for _, _, rate in steps)
    grid = _round_up(most / _LINES) if most else 1.0
    highest = grid * max(1, ceil(most / grid))

    def across(second: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / end

    def up(rate: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * rate / highest

    outline = [f"M{across(steps[0][0]):.1f} {up(0):.1f}"]
    outline += [
        f"L{across(begin):.1f} {up(rate):.1f}L{across(finish):.1f} {up(rate):.1f}"
        for begin, finish, rate in steps
    ]
    outline.append(f"L{across(end):.1f} {up(0):.1f}Z")
    average = sum(point.requests for point in points) / end
    words = f"Requests a second over {duration(end)}: {average:.3g} on average, {most:.3g} at most."
    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">',
        f'<path class="pace" d="{"".join(outline)}"/>',
    ]
    parts += [
        f'<path class="grid" d="M{_LEFT} {up(rate):.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{up(rate) + 4:.1f}" text-anchor="end">{rate:g}</text>'
        for rate in _ticks(highest, grid)
    ]
    step = next((step for step in _TIMES if end / step <= _TICKS), _round_up(end / _TICKS))
    for second in _ticks(end, step):
        anchor = "end" if across(second) > _WIDTH - 60 else "middle" if second else "start"
        parts.append(
            f'<text x="{across(second):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">'
            f"{duration(second)}</text>"
        )
    return "".join([*parts, "</svg>", f'<p class="small">{words}</p>'])


def duration(seconds: float) -> str:
    """Return a length of time as people write it: `1 h 5 min`, `2 min 10 s`, `3.2 s`."""
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (0 if hours else rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _steps(points: Sequence[PacePoint], seconds: float) -> Iterator[tuple[float, float, float]]:
    """Yield where each step begins and ends, and its requests a second, without gaps."""
    width = min((later.second - one.second for one, later in pairwise(points)), default=1.0)
    at = 0.0
    for point in points:
        if point.second > at:
            yield at, point.second, 0.0
        at = point.second + width
        yield point.second, at, point.requests / width
    if points and seconds > at:
        yield at, seconds, 0.0


def _round_up(number: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, ... that is not below a number."""
    power = 1.0
    while power * 10 < number:
        power *= 10
    while power > number > 0:
        power /= 10
    return next((power * step for step in _ROUND if power * step >= number), power * 10)


def _ticks(end: float, step: float) -> Iterator[float]:
    number = 0
    while number * step <= end * 1.0001:
        yield number * step
        number += 1
