"""The swap of the old package and bundle for the new ones, and a comparison of folders.

Decides what counts as a file of the package. After a failure, an interruption or a killed run
either the old state or the new one is in place, never a mixture.
"""

import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PACKAGE = "hubspot_batch_client"
BUNDLE = "openapi.yaml"
_WORK, _OLD, _REFUSED = ".regenerate", "old", "refused"


class BusyError(Exception):
    """Another run works in the same folder."""


def differences(fresh: Path, present: Path) -> Iterator[tuple[str, str]]:
    """Yield the files in which the folder `present` differs from `fresh`.

    Each comes with "edited", "missing" or "extra". Compiled Python files are ignored.
    """
    wanted, found = files_in(fresh), files_in(present)
    for name in sorted(wanted | found):
        if name not in found:
            yield name, "missing"
        elif name not in wanted:
            yield name, "extra"
        elif not _equal(wanted[name], found[name]):
            yield name, "edited"


def _equal(one: Path, other: Path) -> bool:
    return not other.is_symlink() and other.is_file() and one.read_bytes() == other.read_bytes()


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by relative name, without compiled Python files."""
    found: dict[str, Path] = {}
    for above, folders, names in os.walk(folder):
        here = Path(above)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in (*links, "__pycache__")]
        for name in (*names, *links):
            if not name.endswith((".pyc", ".pyo")):
                found[(here / name).relative_to(folder).as_posix()] = here / name
    return found


@contextmanager
def workspace(generated: Path) -> Generator[Path]:
    """Make an empty folder next to the package, for one run at a time; remove it afterwards.

    First repairs what a killed run left behind. Raises BusyError while another run is at work.
    """
    made = not generated.exists()
    generated.mkdir(exist_ok=True)
    work = generated / _WORK
    with _locked(generated):
        try:
            _undo(work, generated / PACKAGE)
            _remove(work)
            work.mkdir()
            yield work
        finally:
            _remove(work)
            if made:
                with suppress(OSError):  # it holds the new package
                    generated.rmdir()


def swap(work: Path, bundle: Path) -> None:
    """Move the package and the bundle in `work` to their places: both or neither."""
    package = work.parent / PACKAGE
    with _signals_blocked():
        try:
            if package.exists():
                package.rename(work / _OLD)
            (work / PACKAGE).rename(package)
            (work / BUNDLE).replace(bundle)
        except BaseException:
            if not (work / _OLD).exists() and not (work / PACKAGE).exists():
                package.rename(work / _REFUSED)
            _undo(work, package)
            raise


def write_file(path: Path, text: str) -> None:
    """Replace a file in one step: a reader sees the old text or the new, never a part."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(text.encode())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _undo(work: Path, package: Path) -> None:
    """Bring the old package back if a swap began and did not end.

    The bundle moves last: while it is still in `work`, the swap has not happened.
    """
    if (work / BUNDLE).exists() and (work / _OLD).exists():
        if package.exists():
            package.rename(work / _REFUSED)
        (work / _OLD).rename(package)


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


if sys.platform == "win32":  # pragma: no cover - Windows has neither these locks nor signal masks

    @contextmanager
    def _locked(folder: Path) -> Generator[None]:  # noqa: ARG001 - the other one needs it
        yield

    @contextmanager
    def _signals_blocked() -> Generator[None]:
        yield

else:
    import fcntl

    @contextmanager
    def _locked(folder: Path) -> Generator[None]:
        # A lock on the folder itself leaves no file, and ends with the process.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError from error
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _signals_blocked() -> Generator[None]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
