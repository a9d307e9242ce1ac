"""The findings about this machine: Python, packages, the way to HubSpot, the journal's folder.

This module decides what of the machine a load depends on. It sends nothing.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path

from hubspot_batch._transport.environment import certificates, proxy_of
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.options import DEFAULT_BASE_URL, ClientOptions
from hubspot_batch.version import __version__

from .findings import CheckResult, CheckState

_DISTRIBUTION = "hubspot-batch"
_LEAST_FREE = 100_000_000  # bytes


def python() -> CheckResult:
    """Name the interpreter and the system."""
    version, system = platform.python_version(), platform.platform(terse=True)
    name = platform.python_implementation()
    values = {"version": version, "implementation": name, "system": system}
    return CheckResult("python", CheckState.OK, f"{name} {version} on {system}.", values)


def packages() -> CheckResult:
    """Name the versions of this package and of what it imports."""
    try:
        needed = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        text = f"{_DISTRIBUTION} {__version__} is not installed as a distribution."
        return CheckResult("packages", CheckState.NOTE, text, {"version": __version__})
    names = {re.split(r"[^\w.-]", one, maxsplit=1)[0]: "extra ==" not in one for one in needed}
    found = {_DISTRIBUTION: __version__}
    missing: list[str] = []
    for name, required in sorted(names.items()):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing += [name] if required else []
    said = ", ".join(f"{name} {version}" for name, version in found.items())
    values = {"versions": found, "missing": missing}
    if missing:
        text = f"{', '.join(missing)} is missing; install {_DISTRIBUTION} again."
        return CheckResult("packages", CheckState.FAILED, text, values)
    return CheckResult("packages", CheckState.OK, f"{said}.", values)


def check_way(given: str | None) -> Iterator[CheckResult]:
    """Name the address, the proxy and the certificates; the last finding says what is wrong."""
    where = "--base-url" if given else "HUBSPOT_BASE_URL"
    if not given and not os.environ.get("HUBSPOT_BASE_URL"):
        where = "the default"
    try:
        options = ClientOptions(given)
    except ConfigurationError as error:
        yield CheckResult("address", CheckState.FAILED, error.message)
        return
    values = {"base_url": options.base_url, "source": where}
    state = CheckState.OK if options.base_url == DEFAULT_BASE_URL else CheckState.NOTE
    yield CheckResult("address", state, f"{options.base_url} ({where}).", values)
    try:
        certificates(options.base_url)
    except ConfigurationError as error:
        yield CheckResult("certificates", CheckState.FAILED, error.message)
        return
    try:
        proxy = proxy_of(options.base_url)
    except ConfigurationError as error:
        yield CheckResult("proxy", CheckState.FAILED, error.message)
        return
    if proxy is None:
        yield CheckResult("proxy", CheckState.OK, "No proxy is used.", {"proxy": None})
    else:
        text = f"{proxy.address}, which {proxy.variable} names."
        named = {"proxy": proxy.address, "source": proxy.variable}
        yield CheckResult("proxy", CheckState.NOTE, text, named)
    yield _certificates(options.base_url)


def _certificates(base_url: str) -> CheckResult:
    if base_url.startswith("http:"):
        text = "Plain http to this machine needs no certificates."
        return CheckResult("certificates", CheckState.OK, text, {"source": None})
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if path := os.environ.get(variable):
            values = {"path": path, "source": variable}
            return CheckResult(
                "certificates", CheckState.NOTE, f"{path}, which {variable} names.", values
            )
    version = metadata.version("certifi")
    text = f"Those of certifi {version}."
    return CheckResult(
        "certificates", CheckState.OK, text, {"source": "certifi", "version": version}
    )


def journal_folder(folder: Path) -> CheckResult:
    """Try whether a journal can be written in a folder; a load makes it if it is missing."""
    values: dict[str, object] = {"path": str(folder)}
    there = next(one for one in (folder, *folder.absolute().parents) if os.path.lexists(one))
    if not there.is_dir():
        text = f"{there} is no folder; name another one with --out."
        return CheckResult("journal_folder", CheckState.FAILED, text, values)
    try:
        with (
            tempfile.TemporaryDirectory(dir=there, prefix=".hubspot-batch-") as made,
            closing(sqlite3.connect(Path(made) / "journal.sqlite")) as database,
        ):
            database.execute("create table t (x)")
        free = shutil.disk_usage(there).free
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"A journal cannot be written in {folder} ({reason}); name another one with --out."
        return CheckResult("journal_folder", CheckState.FAILED, text, values)
    said = f"A journal can be written in {folder}; {free / 1e9:.1f} GB are free"
    values |= {"free_bytes": free, "sqlite": sqlite3.sqlite_version}
    if free < _LEAST_FREE:
        text = f"{said}, which may be too little for a large file."
        return CheckResult("journal_folder", CheckState.NOTE, text, values)
    return CheckResult("journal_folder", CheckState.OK, f"{said}.", values)


def look(base_url: str | None, folder: Path) -> Iterator[CheckResult]:
    """Yield all findings about this machine."""
    yield python()
    yield packages()
    yield from check_way(base_url)
    yield journal_folder(folder)
