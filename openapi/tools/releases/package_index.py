"""The address of a package index, and the versions that the index has.

Decides if an address may receive a password. It never follows a redirect to another server, and
never shows a credential.
"""

import html
import ipaddress
import re
from typing import NoReturn

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

REFUSED, WRONG_USE = 1, 2
_REDIRECTS = 5


class ReleaseRefusedError(Exception):
    """A sentence to print, and the exit code: 1 refused, 2 wrong use."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.code = code


def index_url(text: str) -> httpx.URL:
    """Return the upload address, checked: https, or http for localhost only, without credentials.

    The address for pip, which ends in `/simple/`, is accepted too.
    """
    if not text:
        wrong_use("no index is named. Say where to: make publish INDEX_URL=https://...")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.userinfo or "@" in url.netloc.decode("ascii"):
        wrong_use(
            "INDEX_URL holds credentials, where they end up in logs and in the shell's history. "
            "Take them out, and set TWINE_USERNAME and TWINE_PASSWORD in the environment."
        )
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        wrong_use("INDEX_URL must be an address that begins with https:// and names a host.")
    if url.scheme == "http" and not _is_this_machine(url.host):
        wrong_use(
            f"INDEX_URL is plain http, which would send the password to {url.host} in the clear. "
            "Use https; plain http is for this machine only."
        )
    path = re.sub(r"(/\+?simple)?/*$", "/", url.path, count=1)
    return url.copy_with(path=path, query=None, fragment=None)


def wrong_use(sentence: str) -> NoReturn:
    """Refuse what the command was given."""
    raise ReleaseRefusedError(f"publish: {sentence}", WRONG_USE)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def published_versions(
    page: httpx.URL, auth: tuple[str, str], transport: httpx.BaseTransport | None = None
) -> frozenset[Version]:
    """Return the versions of which the project's page in the index has a file.

    An index that redirects to another one does not have the project.
    """
    try:
        with httpx.Client(transport=transport, timeout=30) as client:
            answer = _get(client, page, auth)
    except httpx.HTTPError as error:
        raise ReleaseRefusedError(
            f"publish: the index at {shown(page)} cannot be reached "
            f"({type(error).__name__}: {error}). Nothing was uploaded."
        ) from None
    if answer.status_code in (401, 403):
        raise ReleaseRefusedError(not_let_in(page, answer.status_code))
    if answer.status_code == 404 or answer.is_redirect:
        return frozenset()
    if answer.status_code != 200:
        raise ReleaseRefusedError(
            f"publish: the index at {shown(page)} answered {answer.status_code} when asked for "
            "the versions it has. Nothing was uploaded."
        )
    names = re.findall(r"<a\b[^>]*>([^<]*)</a>", answer.text, re.IGNORECASE)
    versions = (_version(html.unescape(name).strip()) for name in names)
    return frozenset(version for version in versions if version is not None)


def _get(client: httpx.Client, page: httpx.URL, auth: tuple[str, str]) -> httpx.Response:
    """Follow redirects within the index only, because each request carries the password."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+html, text/html;q=0.9"}
    answer = client.get(page, auth=auth, headers=accept)
    for _ in range(_REDIRECTS):
        onward = answer.next_request
        if onward is None or _origin(onward.url) != _origin(page):
            break
        answer = client.get(onward.url, auth=auth, headers=accept)
    return answer


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _version(filename: str) -> Version | None:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def shown(url: httpx.URL) -> str:
    """Return an address as a message shows it, without a query that may hold a secret."""
    return str(url.copy_with(query=None, fragment=None))


def not_let_in(url: httpx.URL, status: int) -> str:
    """Return the sentence for a user name or password that an index refuses."""
    return (
        f"publish: the index at {shown(url)} refused the user name or the password ({status}). "
        "Look at TWINE_USERNAME and TWINE_PASSWORD. Nothing was uploaded."
    )
