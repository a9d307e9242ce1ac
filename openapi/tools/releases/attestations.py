"""The digital attestations of a release (PEP 740): which index takes them, and which are there.

Decides whether they are sent. An attestation is a signed statement of the job that built a file; it
is made in CI, where the job has an identity: `python -m pypi_attestations sign dist/*`.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from .package_index import ReleaseRefusedError, shown

SUFFIX = ".publish.attestation"


class Attestations(NamedTuple):
    """The attestations to send, and a sentence about them."""

    files: tuple[Path, ...]
    sentence: str


def attestations_for(files: Sequence[Path], target: httpx.URL, *, taken: bool) -> Attestations:
    """Return the attestations beside the files, for an index.

    `taken` says whether the index takes them, which no index tells before an upload.

    Raises ReleaseRefusedError if one is about another file, or only some files have one.
    """
    there = [Path(f"{file}{SUFFIX}") for file in files]
    found = [one for one in there if one.is_file()]
    if not taken:
        beside = " Those beside the files stay there." if found else ""
        return Attestations(
            (),
            f"Attestations: none were sent to {shown(target)}. If it takes them (PEP 740), say so "
            f"with ATTESTATIONS=1.{beside} SHA256SUMS has the digests of the files.",
        )
    if not found:
        return Attestations(
            (),
            "Attestations: none were sent, because none lie beside the files. The index takes "
            "them: let the job that builds run `python -m pypi_attestations sign` on them.",
        )
    if missing := [one.name for one in there if one not in found]:
        raise ReleaseRefusedError(
            f"publish: {', '.join(missing)} is missing, while other files have an attestation. "
            "Nothing was uploaded."
        )
    for file, one in zip(files, found, strict=True):
        _check(file, one)
    return Attestations(tuple(found), f"Attestations: {len(found)} were sent.")


def _check(file: Path, attestation: Path) -> None:
    try:
        document: Any = json.loads(attestation.read_text("utf-8"))
        statement: Any = json.loads(base64.b64decode(document["envelope"]["statement"]))
        digests = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseRefusedError(
            f"publish: {attestation.name} is no attestation ({type(error).__name__}). "
            "Nothing was uploaded."
        ) from None
    if digests != {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}:
        raise ReleaseRefusedError(
            f"publish: {attestation.name} is about another file. Nothing was uploaded."
        )
