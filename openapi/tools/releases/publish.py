"""The upload of a release to a package index.

Decides whether a release may be published: the files are those of the build, made of the tagged
commit; tag, version and changelog agree; the version is new to the index. It builds nothing, and
never shows or stores a credential.
"""

import base64
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
from packaging.version import Version

from . import built, checks, distributions, git_history
from .attestations import attestations_for
from .package_index import (
    ReleaseRefusedError,
    ask_versions,
    index_url,
    not_let_in,
    shown,
    simple_url,
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
    *,
    any_tree: bool = False,
    any_index: bool = False,
    attestations: bool = False,
    dry: bool = False,
) -> str:
    """Check and upload what a build left in the folder `into`; return what to do next.

    With `any_tree`, the tree may differ from the commit with the version's tag; with `any_index`,
    the index need not say which versions it has; with `attestations`, it takes attestations. With
    `dry`, everything is checked and nothing is uploaded.

    Raises ReleaseRefusedError when the address or the credentials cannot be used, when the files
    are not those of the build, when tag, version and changelog do not agree, and when the index has
    the version or refuses it.
    """
    check_before(url, environment, any_tree=any_tree)
    target, auth = index_url(url), credentials(environment)
    name, version = distributions.named_version()
    found = built.find(into)
    if not any_tree and found.commit != git_history.clean_commit(distributions.ROOT):
        raise ReleaseRefusedError(
            f"publish: the files in {into} were made of another commit. Run `make build`."
        )
    simple = simple_url(url)
    if not any_index:
        simple, versions = ask_versions(simple, name, auth, transport)
        if version in versions:
            raise ReleaseRefusedError(taken(name, version, target))
    attested = attestations_for(found.files, target, taken=attestations)
    if dry:
        names = ", ".join(file.name for file in found.files)
        return f"Dry run: nothing was uploaded. {names} would go to {shown(target)}."
    files = (*found.files, *attested.files)
    upload(files, target, environment, taken(name, version, target))
    next_ = f"tag the commit v{version}" if any_tree else f"push the tag v{version}"
    done = f"Published {name} {version} to {shown(target)}"
    if any_index:  # a login page answers an upload with a success, too
        done = (
            f"Sent {name} {version} to {shown(target)}, which does not say what it has. Install it "
            "from there before you count on it."
        )
    return (
        f"{done}\n{attested.sentence}\n"
        f"To install it:  pip install --index-url {shown(simple)} {name}=={version}\n"
        f"Next: {next_}, which the next version is compared with, and raise the version in "
        f"{VERSION_FILE} when something changes: `make check` says by how much."
    )


def check_before(url: str, environment: Mapping[str, str], *, any_tree: bool) -> None:
    """Check everything for which no file and no index is needed.

    Raises ReleaseRefusedError when the address or the credentials cannot be used, and when tag,
    version and changelog do not agree.
    """
    index_url(url)
    credentials(environment)
    _, version = distributions.named_version()
    if not any_tree:
        checks.check_tree(distributions.ROOT, version)
        checks.check_changelog(distributions.ROOT, version)


def taken(name: str, version: Version, target: httpx.URL) -> str:
    """Return what to say of an index that has the version."""
    return (
        f"publish: the index at {shown(target)} has {name} {version} already, and a published "
        f"version never changes. Raise the version in {VERSION_FILE}, and publish again."
    )


def upload(
    files: Sequence[Path], target: httpx.URL, environment: Mapping[str, str], sentence: str
) -> None:
    """Upload the files with twine.

    Raises ReleaseRefusedError with the index's own words, and with `sentence` if it has the files.
    """
    command = [sys.executable, "-m", "twine", "--no-color", "upload", "--non-interactive"]
    # A ~/.pypirc could name another index, or other credentials.
    command += ["--disable-progress-bar", "--verbose", "--config-file", os.devnull]
    command += ["--attestations"] if any(file.suffix == ".attestation" for file in files) else []
    command += ["--repository-url", str(target), *map(str, files)]
    done = distributions.run(command, {**environment, "COLUMNS": _WIDE})
    if done.returncode == 0:
        return
    said = _without_credentials(_last_words(done.stdout), environment)
    status = re.search(r"HTTPError: (\d{3})\b", said)
    code = int(status[1]) if status else 0
    if code == 409 or _EXISTS.search(said):
        raise ReleaseRefusedError(f"{sentence}\nThe index said: {said}")
    if code == 401:
        raise ReleaseRefusedError(f"{not_let_in(target, code)}\nThe index said: {said}")
    if code == 403:
        raise ReleaseRefusedError(
            f"publish: the index at {shown(target)} refused the upload. Either the user in "
            "TWINE_USERNAME may not upload there, or the index has one of the files already.\n"
            f"The index said: {said}"
        )
    raise ReleaseRefusedError(
        f"publish: the upload to {shown(target)} failed. It may have taken one of the two files: "
        f"look at the index before you try again.\nThe index said: {said}"
    )


# What products say of a file that they have. Sonatype Nexus: "does not allow updating assets",
# "cannot be updated"; JFrog Artifactory: "Not enough permissions to delete/overwrite"; GitLab:
# "has already been taken"; devpi and pypiserver: "already exists".
_EXISTS = re.compile(
    r"already (?:exist|been (?:taken|used|uploaded|published))|has already been"
    r"|does not allow (?:updating|redeploy|overwrit)|not allow(?:ed)? to (?:overwrite|update)"
    r"|cannot be (?:updated|overwritten)|delete/overwrite|file[- ]?name.{0,40}\bused\b"
    r"|duplicate (?:file|version)|version.{0,40}\b(?:exists|immutable)",
    re.IGNORECASE,
)
_WIDE = "10000"  # columns, so that no line is broken
_MOST_WORDS = 600


def _last_words(output: str) -> str:
    """Return the end of twine's output as one line: what the index answered, and the error."""
    if "Traceback (" in output:
        return output.rstrip().rpartition("\n")[2]
    starts = [output.rfind(mark) for mark in ("INFO     Response from", "ERROR")]
    start = next((at for at in starts if at >= 0), 0)
    plain = re.sub(r"(?s)<(?:script|style)\b.*?</(?:script|style)>|<[^<>]*>", " ", output[start:])
    words = " ".join(re.sub(r"(?m)^(?:INFO|ERROR) +(?!HTTP)", "", plain).split())
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}..."


def _without_credentials(text: str, environment: Mapping[str, str]) -> str:
    user, password = credentials(environment)
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    for secret in (basic, password, quote(password, safe=""), quote_plus(password)):
        text = text.replace(secret, "***")
    return text
