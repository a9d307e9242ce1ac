"""The address of a package index, and the versions that the index has.

Decides if an address may receive a password. It never follows a redirect to another server, and
never shows a credential.
"""

import ipaddress
import re
from html.parser import HTMLParser
from typing import NoReturn
from urllib.parse import unquote, urlsplit

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
ANY_INDEX = "--any-index (make publish ANY_INDEX=1)"
_AZURE = re.compile(r"/_packaging/[^/]+/pypi/$")


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
    path = re.sub(r"/\+?simple/*$", "/", url.path, count=1)
    if _AZURE.search(path):  # it takes uploads beside the list of files
        path += "upload/"
    return url.copy_with(path=path, query=None, fragment=None)


def simple_url(text: str) -> httpx.URL:
    """Return the address for pip, for an address that `index_url` accepts."""
    target = index_url(text)
    path = re.sub(r"(?<=/pypi)/upload/*$", "/", target.path)
    last = "+simple" if httpx.URL(text).path.rstrip("/").endswith("/+simple") else "simple"
    return target.copy_with(path=f"{path.rstrip('/')}/{last}/")


def ask_versions(
    simple: httpx.URL,
    name: str,
    auth: tuple[str, str],
    transport: httpx.BaseTransport | None = None,
) -> tuple[httpx.URL, frozenset[Version]]:
    """Return the address for pip, and the versions of a project that the index has.

    Raises ReleaseRefusedError as `published_versions` does.
    """
    plus = simple.copy_with(path=re.sub(r"/simple/$", "/+simple/", simple.path))
    page = published_page(simple.copy_with(path=f"{simple.path}{name}/"), auth, transport)
    # devpi has its list there (https://devpi.net/docs/), and says 404 to all other addresses.
    if page.status_code == 404 and "X-Devpi-Server-Version" in page.headers and plus != simple:
        return ask_versions(plus, name, auth, transport)
    return simple, versions_of(page, page.url)


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
    """Return the versions that have a file on the project's page in the index.

    Raises ReleaseRefusedError if the page is no list of files, or is on another server.
    """
    return versions_of(published_page(page, auth, transport), page)


def published_page(
    page: httpx.URL, auth: tuple[str, str], transport: httpx.BaseTransport | None = None
) -> httpx.Response:
    """Return what the index answers to the address of a project's page.

    Raises ReleaseRefusedError if it cannot be reached.
    """
    try:
        with httpx.Client(transport=transport, timeout=30) as client:
            return _get(client, page, auth)
    except httpx.HTTPError as error:
        raise ReleaseRefusedError(
            f"publish: the index at {shown(page)} cannot be reached "
            f"({type(error).__name__}: {error}). Nothing was uploaded."
        ) from None


def versions_of(answer: httpx.Response, page: httpx.URL) -> frozenset[Version]:
    """Return the versions in an index's answer for a project's page.

    Raises ReleaseRefusedError if it is no list of files.
    """
    if answer.status_code in (401, 403):
        raise ReleaseRefusedError(not_let_in(page, answer.status_code))
    if answer.status_code == 404:
        return frozenset()
    if answer.is_redirect:
        elsewhere = answer.next_request.url if answer.next_request else page
        raise _unread(page, f"sends the reader on to {shown(elsewhere)}, where no password is sent")
    if answer.status_code != 200:
        raise ReleaseRefusedError(
            f"publish: the index at {shown(page)} answered {answer.status_code} when asked for "
            "the versions it has. Nothing was uploaded."
        )
    versions = {found for name in _file_names(answer) if (found := _version(name)) is not None}
    if not versions and not _is_list(answer):
        raise _unread(page, "answered with something else than a list of files")
    return frozenset(versions)


def _unread(page: httpx.URL, why: str) -> ReleaseRefusedError:
    return ReleaseRefusedError(
        f"publish: the index at {shown(page)} {why}, so it is not known which versions it has. "
        f"Nothing was uploaded. Look at INDEX_URL, or give {ANY_INDEX}: an index refuses a "
        "version that it has."
    )


class _Links(HTMLParser):
    """Collects the text and the target's last part of each link."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._inside = True
            target = dict(attrs).get("href") or ""
            self.names += [unquote(urlsplit(target).path.rpartition("/")[2]), ""]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.names[-1] += data


def _file_names(answer: httpx.Response) -> list[str]:
    """Return the names of the files that a page lists, in either form (PEP 503, PEP 691)."""
    if (listed := _json_files(answer)) is not None:
        return listed
    links = _Links()
    links.feed(answer.text)
    return [name.strip() for name in links.names]


def _json_files(answer: httpx.Response) -> list[str] | None:
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        return [str(file["filename"]) for file in answer.json()["files"]]
    except (ValueError, KeyError, TypeError):
        return None


def _is_list(answer: httpx.Response) -> bool:
    """Return True for a list without files, by what such pages say about themselves."""
    said = r"pypi:repository-version|<title>\s*(?:Links|Index) (?:for|of)\b|<h1>\s*Links for\b"
    return bool(_json_files(answer) == [] or re.search(said, answer.text, re.IGNORECASE))


def _get(client: httpx.Client, page: httpx.URL, auth: tuple[str, str]) -> httpx.Response:
    """Follow redirects within the index only, because each request carries the password."""
    html, json = (f"application/vnd.pypi.simple.v1+{form}" for form in ("html", "json"))
    accept = {"Accept": f"{html}, text/html;q=0.9, {json};q=0.8"}
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
