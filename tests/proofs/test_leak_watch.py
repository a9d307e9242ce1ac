"""The search for tokens finds what is planted, in every place where it looks."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from both_clients import ClientFactory
from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch, HubSpotBatchError, Outcome
from hubspot_batch.sandbox import Sandbox, SandboxTransport
from hubspot_batch_client.families import AsyncCalls, Calls
from leak_watch import SECRET, WATCH, Watch

pytestmark = pytest.mark.once

ROW = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}
ODD = "a/b='c'/d=\"e\"/f+g/h="
SPELLINGS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": str,
    "in a header": lambda token: f"Bearer {token}",
    "as bytes": str.encode,
    "as the repr of bytes": lambda token: repr([(b"Authorization", f"Bearer {token}".encode())]),
    "in a repr": lambda token: repr({"token": token}),
    "in a URL": lambda token: f"https://x/?token={quote(token, safe='')}",
    "in JSON": lambda token: json.dumps({"message": f"{token} is bad"}),
    "in JSON of PHP": lambda token: json.dumps(token).replace("/", "\\/"),
    "in escapes": lambda token: "".join(f"\\u{ord(char):04x}" for char in token),
    "in a header of user and password": lambda token: base64.b64encode(f"u:{token}".encode()),
    **{
        f"in base64, {shift} further": lambda token, shift=shift: base64.b64encode(
            b"x" * shift + token.encode() + b"yy"
        ).decode()
        for shift in range(3)
    },
}


@pytest.mark.parametrize("token", [SECRET, "pat-na1-0f1e2d3c-secret", ODD])
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_found(token: str, spell: Callable[[str], str | bytes]) -> None:
    """As text and as bytes."""
    watch = Watch(token)
    watch.text("here", spell(token))
    assert len(watch.take()) == 1
    watch.text("here", spell("pat-na1-another/Token0123456789abcdef=1234"))
    assert watch.take() == []


def test_a_short_token_is_not_looked_for() -> None:
    """It would stand in other texts by chance."""
    watch = Watch("error")
    watch.text("here", "an error")
    assert watch.take() == []


def elsewhere(name: str, value: object) -> Exception:
    """An exception out of a frame of a library, in which a variable has a value."""
    space: dict[str, Any] = {"value": value}
    source = f"def fail():\n    {name} = value\n    raise OSError('no more')"
    exec(compile(source, "library.py", "exec"), space)
    try:
        space["fail"]()
    except OSError as error:
        return error
    raise AssertionError


def with_note(error: BaseException) -> BaseException:
    error.add_note(f"of {SECRET}")
    return error


def behind(error: BaseException, *, cause: bool) -> BaseException:
    """Another exception with this one behind it."""
    try:
        try:
            raise error
        except BaseException as first:
            if cause:
                raise RuntimeError("of another") from first
            raise RuntimeError("in between") from None
    except RuntimeError as made:
        return made


class HidingError(Exception):
    """Says nothing, keeps something, and cannot be pickled where that cannot."""

    def __init__(self, kept: object = None) -> None:
        super().__init__()
        self.kept = kept


class ShowingError(HidingError):
    """Is frank with programmers only."""

    def __repr__(self) -> str:
        return f"<of {SECRET}>"


class Packed:
    """Says nothing, until it is unpacked."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (SECRET,)


@pytest.mark.parametrize(
    "error",
    [
        OSError(SECRET),
        KeyboardInterrupt(SECRET.encode()),
        ShowingError(lambda: None),
        HidingError([SECRET, lambda: None]),
        HidingError(Packed()),
        with_note(HidingError(lambda: None)),
        elsewhere("header", f"Bearer {SECRET}"),
        elsewhere("headers", [(b"Authorization", f"Bearer {SECRET}".encode())]),
        behind(OSError(SECRET), cause=True),
        behind(OSError(SECRET), cause=False),
        behind(behind(elsewhere("token", SECRET), cause=True), cause=False),
        ExceptionGroup("", [ValueError(), ExceptionGroup("", [elsewhere("token", SECRET)])]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_is_searched_through_and_through(error: BaseException) -> None:
    """Its words, attributes and pickle, its notes and frames, and what stands behind it."""
    watch = Watch(SECRET)
    watch.error("here", error)
    assert watch.take()


def test_what_cannot_be_shown_or_pickled_is_passed_over() -> None:
    """A variable may be half-made; the rest is searched nevertheless."""

    class Broken:
        def __repr__(self) -> str:
            raise ValueError("not yet")

    watch = Watch(SECRET)
    watch.error("here", behind(elsewhere("broken", Broken()), cause=True))
    watch.error("here", HidingError(lambda: None))
    assert watch.take() == []
    watch.error("here", behind(with_note(elsewhere("broken", Broken())), cause=True))
    assert watch.take()


def test_a_test_may_hold_the_token() -> None:
    """It has to be written somewhere: frames of these files are not looked at."""
    held = SECRET
    with pytest.raises(ZeroDivisionError) as caught:
        len(held) / 0
    WATCH.error("here", caught.value)


@pytest.mark.parametrize("name", ["hubspot_batch", "httpx", "httpcore.http11", "asyncio", ""])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_every_log_record_is_searched(name: str, level: int) -> None:
    """Its words, what they were made of, and its exception."""
    log = logging.getLogger(name)
    log.log(level, "a line of %s", SECRET)
    assert WATCH.take()
    log.log(level, "a line of %.0s", SECRET)
    assert WATCH.take()
    log.log(level, "a line", exc_info=behind(OSError(SECRET), cause=True))
    assert WATCH.take()
    log.log(level, "a line of %s", "another")
    assert WATCH.take() == []


def test_outputs_that_tests_read_are_searched(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of this process, and those of commands."""
    for stream in (sys.stdout, sys.stderr):
        print(SECRET, file=stream)
        capsys.readouterr()
        assert WATCH.take()
    for name in ("stdout", "stderr"):
        script = f"import os, sys; print(os.environ['IT'], file=sys.{name})"
        environment = {**os.environ, "IT": SECRET}
        subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )
        assert WATCH.take()


def shows(_: object) -> str:
    return f"<{SECRET}>"


def fails(*_: object, **__: object) -> None:
    raise elsewhere("header", SECRET)


class TellingError(OSError):
    """A failure whose words are not among its arguments, so the client cannot clean them."""

    def __str__(self) -> str:
        return SECRET


def tells(*_: object, **__: object) -> None:
    raise TellingError


@pytest.mark.parametrize(
    ("where", "name", "planted", "act"),
    [
        ("client", "__repr__", shows, "create"),
        ("client", "__init__", fails, "create"),
        ("client", "close", fails, "close"),
        ("calls", "__repr__", shows, "create"),
        ("calls", "create", fails, "create"),
        ("outcome", "__repr__", shows, "create"),
        ("outcome", "__repr__", shows, "iterate"),
        ("transport", "handle_request", tells, "request"),
        ("transport", "handle_request", tells, "iterate"),
    ],
)
def test_what_goes_through_a_client_is_searched(
    make_client: ClientFactory,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    name: str,
    planted: Any,
    act: str,
) -> None:
    """The client, its parts, its results, the outcomes that it yields, and its exceptions."""
    places = {
        "client": HubSpotBatch if make_client.kind == "sync" else AsyncHubSpotBatch,
        "calls": Calls if make_client.kind == "sync" else AsyncCalls,
        "outcome": Outcome,
        "transport": SandboxTransport,
    }
    name = name.replace("_request", "_async_request") if make_client.kind == "async" else name
    with monkeypatch.context() as patch, suppress(HubSpotBatchError, OSError):
        patch.setattr(places[where], name, planted, raising=False)
        client = make_client(transport=Sandbox())
        if act == "create":
            client.calls.create([ROW])
        elif act == "iterate":
            list(client.calls.create_iter([ROW]))
        elif act == "request":
            make_client.request(client, "POST", "/x")
        else:
            client.close()
    assert WATCH.take()


def test_a_token_of_a_provider_is_watched(make_client: ClientFactory) -> None:
    """Also where the function is asynchronous."""
    made = "pat-na1-0123456789abcdef-fresh"

    async def provide() -> str:
        return made

    make_client(
        provide if make_client.kind == "async" else lambda: made, transport=Sandbox()
    ).calls.create([ROW])
    WATCH.text("here", f"of {made}")
    assert WATCH.take()


PLANTED = """
import logging, subprocess, sys, threading
import pytest
from leak_watch import SECRET, WATCH

def test_printed(): print(SECRET)
def test_printed_to_the_other(): print(SECRET, file=sys.stderr)
def test_written(tmp_path): (tmp_path / "journal").write_bytes(bytes(9) + SECRET.encode())
def test_logged(): logging.getLogger("httpx").debug("%s", SECRET)
def test_logged_by_a_thread():
    thread = threading.Thread(target=logging.debug, args=(SECRET,))
    thread.start()
    thread.join()
def test_read(capsys):
    print(SECRET)
    capsys.readouterr()
def test_run(): subprocess.run([sys.executable, "-c", f"print({SECRET!r})"], capture_output=True)
@pytest.fixture
def late():
    yield
    logging.debug(SECRET)
def test_left(late): pass
def test_shows_nothing(tmp_path):
    print("nothing")
    logging.debug("nothing")
    WATCH.add("a-token-of-this-test-only")
def test_is_another_test(): print("a-token-of-this-test-only")
"""


@pytest.mark.parametrize("side_by_side", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_no_test_passes_that_shows_a_token(tmp_path: Path, side_by_side: tuple[str, ...]) -> None:
    """The whole chain, in a pytest of its own."""
    planted = tmp_path / "test_planted.py"
    planted.write_text(PLANTED, "utf-8")
    arguments = ["-p", "conftest", "-p", "no:cacheprovider", "--import-mode", "importlib"]
    arguments += ["--rootdir", str(tmp_path), "-v", "--tb", "no", "--no-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "-p", "no:pastebin", *side_by_side, planted],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    # Workers say it the other way round, after a line for each test that begins.
    lines = re.findall(r"::(test_\w+) (\w+)", done.stdout)
    lines += [
        (name, word) for word, name in re.findall(r"\] ([A-Z]+) \S+::(test_\w+)", done.stdout)
    ]
    assert {name for name, word in lines if word == "PASSED"} - {
        name for name, word in lines if word != "PASSED"
    } == {"test_shows_nothing", "test_is_another_test"}, done.stdout
    assert len({name for name, _ in lines}) == PLANTED.count("def test_")
