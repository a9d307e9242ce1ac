"""Which requests may be carried out twice.

This module decides which operation a request belongs to, by its method and path. A path may have
names in braces; each stands for one part of an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx


class Repeatable:
    """The operations that may be carried out twice.

    Args:
        operations: Their methods and paths.
        prefix: The path of the base URL, which is put before theirs.
    """

    def __init__(self, operations: Iterable[tuple[str, str]], prefix: str) -> None:
        paths = [(method, prefix + path) for method, path in operations]
        self._exact = {one for one in paths if "{" not in one[1]}
        self._patterns = [(method, path_pattern(path)) for method, path in paths if "{" in path]

    def __contains__(self, request: object) -> bool:
        assert isinstance(request, httpx.Request)  # noqa: S101 - nothing else is asked for
        if (request.method, request.url.path) in self._exact:
            return True
        # A quoted slash is part of a name, so the path is looked at as it was sent.
        sent = request.url.raw_path.partition(b"?")[0].decode("ascii")
        return any(
            method == request.method and pattern.fullmatch(sent)
            for method, pattern in self._patterns
        )


def path_pattern(path: str) -> re.Pattern[str]:
    """Return a pattern for the addresses that a path with names in braces stands for."""
    parts = re.split(r"\{[^{}/]*\}", path)
    return re.compile("([^/]+)".join(map(re.escape, parts)))
