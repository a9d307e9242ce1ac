"""The package as its users get it: published to an index, installed from it, and run."""

import base64
import hashlib
import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tarfile import TarFile
from typing import Any

import pytest
from attrs import frozen
from loopback_index import index, pack_installed, serving
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = runpy.run_path(str(ROOT / PROJECT["tool"]["hatch"]["version"]["path"]))["__version__"]
LOCKS = {
    "demo": ROOT / "tests" / "requirements" / "demo.txt",
    "dev": ROOT / "tests" / "requirements" / "dev.txt",
    "test": ROOT / "tests" / "requirements" / "lowest.txt",
    "generator": ROOT / "openapi" / "tools" / "requirements.txt",
    "docs": ROOT / "tests" / "requirements" / "docs.txt",
}
USER, PASSWORD = "someone", "do-not-show-me"
BILL = f"hubspot_batch-{VERSION}.cdx.json"


def run(
    command: Sequence[str | Path], cwd: Path = ROOT, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a plain environment: none of pip's or make's settings get in."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    coverage = {name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
    return subprocess.run(
        command,
        cwd=cwd,
        env=kept | coverage | {"PIP_CONFIG_FILE": os.devnull} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# ------------------------------------------------------------------------- the locked versions


def group(name: str) -> Iterator[Requirement]:
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from group(entry["include-group"])


def locked(file: Path) -> dict[str, str]:
    lines = re.findall(
        r"^([a-z0-9-]+)(?:\[.+\])?==([^ ]+)", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    return dict(lines)


@pytest.mark.parametrize("name", LOCKS)
class TestLock:
    def test_holds_the_pins(self, name: str) -> None:
        """Every tool has one exact pin, and the locked file has that version."""
        pins = {canonicalize_name(each.name): str(each.specifier) for each in group(name)}
        versions = locked(LOCKS[name])
        assert pins == {tool: f"=={versions[tool]}" for tool in pins}, "run `make lock`"

    def test_is_hashed_and_names_no_place(self, name: str) -> None:
        """The files say what is installed, never where it comes from."""
        text = LOCKS[name].read_text(encoding="utf-8")
        entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)
        assert not re.search(r"://|@|--(find-links|(extra-)?index-url)|^/|\s/", text)


def test_lowest_versions_are_the_declared_ones() -> None:
    """The lowest environment holds the lower bound of each run-time dependency."""
    versions = locked(LOCKS["test"])
    declared = PROJECT["project"]["dependencies"]
    declared += PROJECT["project"]["optional-dependencies"]["sandbox"]
    for requirement in map(Requirement, declared):
        lowest = [each.version for each in requirement.specifier if each.operator == ">="]
        assert [versions[canonicalize_name(requirement.name)].removesuffix(".0")] == [
            version.removesuffix(".0") for version in lowest
        ]


def test_the_demo_has_the_versions_of_the_tests() -> None:
    """`make demo` installs a part of what `make setup` installs, and nothing else."""
    assert locked(LOCKS["demo"]).items() <= locked(LOCKS["dev"]).items(), "run `make lock`"


# ------------------------------------------------------------------------------------- set-up


class TestSetUp:
    """Only what ends before anything is installed."""

    def set_up(self, folder: Path, python: str) -> str:
        program = "tests/setup/environment.sh"
        for name in ("Makefile", "tests/requirements/dev.txt", "pyproject.toml", program):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
        if python:
            fake = folder / "fake-python"
            fake.write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
            fake.chmod(0o755)
        done = run(["make", "setup", "PYTHON=./fake-python"], folder)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert not (folder / ".venv" / "bin").exists()
        return done.stderr.splitlines()[0]

    def test_too_old(self, tmp_path: Path) -> None:
        """A Python that is too old is named with its version."""
        fake = 'case "$2" in *"%d.%d"*) echo 3.10 ;; *version_info*) exit 1 ;; esac'
        assert self.set_up(tmp_path, fake) == (
            "setup: Python 3.11 or later is needed, and none was found (./fake-python is Python "
            "3.10). Install one, or name it: make setup PYTHON=/path/to/python3.12"
        )

    def test_no_venv_module(self, tmp_path: Path) -> None:
        """A Python without the venv module is distinguished from one that is too old."""
        fake = 'case "$2" in *"%d.%d"*) echo 3.12 ;; *venv*) exit 1 ;; esac'
        assert "./fake-python cannot make virtual environments" in self.set_up(tmp_path, fake)

    def test_no_python(self, tmp_path: Path) -> None:
        """A Python that is not there is said to be not there."""
        assert "PYTHON=./fake-python does not run" in self.set_up(tmp_path, "")


# -------------------------------------------------------------------------------- the package


@frozen
class Published:
    """An index on loopback, the folder of its files, and what `make publish` said."""

    url: str
    files: Path
    said: str

    @property
    def wheel(self) -> Path:
        return self.files / f"hubspot_batch-{VERSION}-py3-none-any.whl"

    @property
    def sdist(self) -> Path:
        return self.files / f"hubspot_batch-{VERSION}.tar.gz"


def make_publish(
    url: str, dist: Path, password: str = PASSWORD
) -> subprocess.CompletedProcess[str]:
    """Publish a build of the tree as it is."""
    goal = ["make", "publish", f"INDEX_URL={url}", f"DIST={dist}", "ANY_TREE=1"]
    return run(goal, TWINE_USERNAME=USER, TWINE_PASSWORD=password)


@pytest.fixture(scope="module")
def dist(needed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the tree; the wheel was tried with the dependencies in a folder."""
    if not (ROOT / ".venv" / "bin").exists():
        pytest.skip("needs the project's own environment: make setup")
    folder = tmp_path_factory.mktemp("a dist")
    from_folder = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": needed.as_uri()}
    done = run(["make", "build", f"DIST={folder}"], **from_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheels of what the package needs, sandbox included."""
    folder = tmp_path_factory.mktemp("needed")
    pack_installed("hubspot-batch", frozenset({"sandbox"}), folder, set())
    return folder


@pytest.fixture(scope="module")
def published(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The package on a pypiserver that shows and takes nothing without the password."""
    folder = tmp_path_factory.mktemp("index")
    files, users = folder / "files", folder / "htpasswd"
    files.mkdir()
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    users.write_text(f"{USER}:{{SHA}}{digest}\n", encoding="utf-8")
    with index(files, folder, users) as url:
        done = make_publish(url, dist)
        assert done.returncode == 0, done.stdout + done.stderr
        yield Published(url, files, done.stdout)


class TestPublish:
    def test_says_what_is_next(self, published: Published) -> None:
        """The person who published is told where it is and what to do now."""
        assert f"Published hubspot-batch {VERSION} to {published.url}/\n" in published.said
        assert "Next: tag the commit" in published.said

    def test_published_once(self, published: Published, dist: Path) -> None:
        """A version that the index has is refused, whichever form of the address is used."""
        for url in (published.url, f"{published.url}/simple/"):
            again = make_publish(url, dist)
            assert again.returncode != 0
            assert f"has hubspot-batch {VERSION} already" in again.stderr

    def test_wrong_password(self, published: Published, dist: Path) -> None:
        """A wrong password is a sentence, without the password."""
        refused = make_publish(published.url, dist, password="also-secret")
        assert refused.returncode != 0
        assert "refused the user name or the password" in refused.stderr
        assert "also-secret" not in refused.stdout + refused.stderr
        assert "Traceback" not in refused.stderr

    def test_wheel_holds_both_packages_and_the_bundle(self, published: Published) -> None:
        """The wheel holds what is used at run time, typed, and nothing else."""
        with zipfile.ZipFile(published.wheel) as wheel:
            names = set(wheel.namelist())
            bundle = wheel.read("hubspot_batch_client/openapi.yaml")
        expected = {"hubspot_batch_client/openapi.yaml"}
        for package in ("generated/hubspot_batch_client", "overrides/hubspot_batch"):
            source = ROOT / package
            assert (source / "py.typed").is_file()
            expected |= {
                file.relative_to(source.parent).as_posix()
                for file in source.rglob("*")
                if file.is_file() and "__pycache__" not in file.parts
            }
        info = {name for name in names if name.startswith(f"hubspot_batch-{VERSION}.dist-info/")}
        assert {name.rpartition("/")[2] for name in info} == {
            "METADATA", "WHEEL", "RECORD", "entry_points.txt", "LICENSE", BILL,
        }  # fmt: skip
        assert f"hubspot_batch-{VERSION}.dist-info/sboms/{BILL}" in info
        assert names - info == expected
        assert bundle == (ROOT / "openapi" / "openapi.yaml").read_bytes()

    def test_wheel_of_the_tree_is_the_wheel_of_the_sdist(
        self, published: Published, tmp_path: Path
    ) -> None:
        """The source distribution is enough to build from, and a second build gives the same."""
        with TarFile.open(published.sdist) as sdist:
            (time,) = {int(member.mtime) for member in sdist.getmembers()}
        build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--sdist"]
        done = run([*build, "--outdir", tmp_path, ROOT], SOURCE_DATE_EPOCH=str(time))
        assert done.returncode == 0, done.stdout + done.stderr
        for first in (published.wheel, published.sdist):
            assert (tmp_path / first.name).read_bytes() == first.read_bytes()

    def test_two_clones_give_the_same(self, tmp_path: Path) -> None:
        """In other folders, at other times, and with other permissions and settings."""
        if not (ROOT / ".git").exists():
            pytest.skip("needs the history")
        made: list[dict[str, bytes]] = []
        for folder, umask, zone in (("one", "022", "UTC"), ("another place", "077", "Asia/Tokyo")):
            clone, dist = tmp_path / folder / "clone", tmp_path / folder / "dist"
            script = (
                f'umask {umask} && git clone --quiet --no-local "{ROOT}" "{clone}" && '
                f'cd "{clone}" && '
                f'PYTHONPATH=openapi/tools exec "{sys.executable}" -c "from pathlib import Path; '
                "from releases.distributions import ROOT, build_both; "
                f"build_both(ROOT, Path('{dist}'))\""
            )
            settings = {
                "LC_ALL": "C",
                "PYTHONHASHSEED": umask,
                "SOURCE_DATE_EPOCH": f"17{umask}00000",
            }
            done = run(["sh", "-c", script], tmp_path, TZ=zone, **settings)
            assert done.returncode == 0, done.stdout + done.stderr
            made.append({file.name: file.read_bytes() for file in dist.iterdir()})
            shutil.rmtree(clone)  # it holds the tokens of the tests
        assert len(made[0]) == 2
        assert made[0] == made[1]


@pytest.fixture(scope="module")
def user(published: Published, needed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has the package from the index, sandbox included."""
    for wheel in needed.iterdir():
        shutil.copy(wheel, published.files)
    environment = tmp_path_factory.mktemp("user") / "environment"
    venv.create(environment, symlinks=True)
    programs = environment / "bin"
    address = published.url.replace("://", f"://{USER}:{PASSWORD}@")
    install = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet"]
    install += ["--no-cache-dir", "--index-url", f"{address}/simple/", "hubspot-batch[sandbox]"]
    done = run(install)
    assert done.returncode == 0, done.stderr
    return programs


class TestInstalled:
    def test_command(self, user: Path, tmp_path: Path) -> None:
        """The command is there, and knows its version."""
        done = run([user / "hubspot-batch", "--version"], tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert VERSION in done.stdout

    def test_readme_example(self, user: Path, tmp_path: Path) -> None:
        """The README's first example runs as it stands there, in an empty folder."""
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        example = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        assert example
        command = [user / "hubspot-batch", "sandbox", "--port", "0"]
        with serving(command, tmp_path) as url:
            done = run(
                [user / "python", "-W", "error", "-c", example[1]],
                tmp_path,
                HUBSPOT_ACCESS_TOKEN="sandbox-token",
                HUBSPOT_BASE_URL=url,
            )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
        assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------- other indexes, and uv

# devpi-server is not among the developers' packages. It is run from an environment of its own:
# `python -m venv .venv/indexes`, then `pip install devpi-server` there.
DEVPI = ROOT / ".venv" / "indexes" / "bin"
_STARTS_IN = 120  # seconds


def install(client: str, environment: Path, index: str, needed: Path) -> None:
    """Install the package from an index, and what it needs from a folder; then run it."""
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    if client == "uv":
        command = [sys.executable, "-m", "uv", "--no-cache", "pip", "install", "--python", python]
    else:
        command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir"]
    command += ["--quiet", "--index-url", index, "--find-links", str(needed), "hubspot-batch"]
    done = run(command, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    said = run([environment / "bin" / "hubspot-batch", "--version"], environment)
    assert VERSION in said.stdout


def with_password(url: str) -> str:
    return url.replace("://", f"://{USER}:{PASSWORD}@")


@pytest.mark.once
def test_uv_installs_from_pypiserver(published: Published, needed: Path, tmp_path: Path) -> None:
    """As pip does, which other tests try."""
    install("uv", tmp_path / "x", with_password(f"{published.url}/simple/"), needed)


def ask(method: str, url: str, body: dict[str, Any], login: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if login:
        headers["X-Devpi-Auth"] = base64.b64encode(f"{USER}:{login}".encode()).decode()
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an index of devpi, into which one user may upload."""
    if not (DEVPI / "devpi-server").exists():
        pytest.skip("devpi-server is missing")
    folder = tmp_path_factory.mktemp("devpi")
    state = ["--serverdir", str(folder / "state")]
    begun = [DEVPI / "devpi-init", *state, "--no-root-pypi", "--root-passwd", PASSWORD]
    assert run(begun, folder).returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [DEVPI / "devpi-server", *state, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _STARTS_IN
        while True:
            try:
                ask("PUT", f"{url}/{USER}", {"password": PASSWORD})
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.5)
        login = ask("POST", f"{url}/+login", {"user": USER, "password": PASSWORD})
        key = login["result"]["password"]
        index = {"volatile": False, "bases": [], "acl_upload": [USER]}
        ask("PUT", f"{url}/{USER}/dev", index, key)
        yield f"{url}/{USER}/dev/"
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.once
def test_devpi(devpi: str, dist: Path, needed: Path, tmp_path: Path) -> None:
    """Published once, with both forms of its address; pip and uv install what was published."""
    done = make_publish(devpi, dist)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"pip install --index-url {devpi}+simple/ hubspot-batch=={VERSION}" in done.stdout
    assert "Attestations: none were sent" in done.stdout
    for url in (devpi, f"{devpi}+simple/"):
        again = make_publish(url, dist)
        assert again.returncode != 0
        assert f"has hubspot-batch {VERSION} already" in again.stderr
    for client in ("pip", "uv"):
        install(client, tmp_path / client, with_password(f"{devpi}+simple/"), needed)
