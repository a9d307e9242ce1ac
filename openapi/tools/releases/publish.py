"""The upload of a release to a package index.

Decides whether a release may be published: the version must be new to the index. It never shows or
stores a credential.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from packaging.version import Version

from . import distributions
from .package_index import (
    ReleaseRefusedError,
    index_url,
    not_let_in,
    published_versions,
    shown,
    wrong_use,
)
from .version import VERSION_FILE


def credentials(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return user name and password, from the environment only."""
    missing = [name for name in ("TWINE_USERNAME", "TWINE_PASSWORD") if not environment.get(name)]
    if missing:
        wrong_use(f"{' and '.join(missing)} not set in the environment; nothing was sent.")
    return environment["TWINE_USERNAME"], environment["TWINE_PASSWORD"]


def publish(
    url: str,
    into: Path,
    environment: Mapping[str, str],
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Build the distributions and upload them; return what to do next.

    Raises ReleaseRefusedError when the address or the credentials cannot be used, when the index
    has the version or refuses it, and in the cases of `build`.
    """
    target = index_url(url)
    auth = credentials(environment)
    name, version = distributions.named_version()
    simple = target.copy_with(path=f"{target.path}simple/")
    page = simple.copy_with(path=f"{simple.path}{name}/")
    if version in published_versions(page, auth, transport):
        raise ReleaseRefusedError(_taken(name, version, target))
    files = distributions.build(into)
    _upload(files, target, environment, taken=_taken(name, version, target))
    return (
        f"Published {name} {version} to {shown(target)}\n"
        f"To install it:  pip install --index-url {shown(simple)} {name}=={version}\n"
        f"Next: tag the commit v{version}, which the next version is compared with, and raise the "
        f"version in {VERSION_FILE} when something changes: `make check` says by how much."
    )


def _taken(name: str, version: Version, target: httpx.URL) -> str:
    return (
        f"publish: the index at {shown(target)} has {name} {version} already, and a published "
        f"version never changes. Raise the version in {VERSION_FILE}, and publish again."
    )


def _upload(
    files: Sequence[Path], target: httpx.URL, environment: Mapping[str, str], taken: str
) -> None:
    command = [sys.executable, "-m", "twine", "--no-color", "upload", "--non-interactive"]
    # A ~/.pypirc could name another index, or other credentials.
    command += ["--disable-progress-bar", "--config-file", os.devnull]
    command += ["--repository-url", str(target), *map(str, files)]
    done = distributions.run(command, environment)
    if done.returncode == 0:
        return
    said = _last_words(done.stdout).replace(environment["TWINE_PASSWORD"], "***")
    status = re.search(r"HTTPError: (\d{3})\b", said)
    code = int(status[1]) if status else 0
    if code == 409 or "already exist" in said.lower():
        raise ReleaseRefusedError(taken)
    if code in (401, 403):
        raise ReleaseRefusedError(not_let_in(target, code))
    raise ReleaseRefusedError(
        f"publish: the upload to {shown(target)} failed ({said}). "
        "It may have taken one of the two files: look at the index before you try again."
    )


def _last_words(output: str) -> str:
    """Return the end of twine's output as one line, without the warnings before it."""
    if "Traceback (" in output:
        return output.rstrip().rpartition("\n")[2]
    return " ".join(output[max(output.rfind("ERROR"), 0) :].split())
