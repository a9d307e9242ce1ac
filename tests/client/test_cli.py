"""The console command: what it prints, how it ends, and what it says to wrong use."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hubspot_batch import HubSpotBatch, sandbox
from hubspot_batch.cli import main as cli
from hubspot_batch.sandbox import FAULTS, FakeClock, Sandbox, SandboxTransport
from hubspot_batch.sandbox.core import CAMPAIGN_IDS
from hubspot_batch.sandbox.server import DEFAULT_PORT

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "hubspot_batch"]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with nothing in it that the command looks at."""
    ours = {"HUBSPOT_ACCESS_TOKEN", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED"}
    kept = {name: text for name, text in os.environ.items() if name not in ours}
    path = os.pathsep.join(str(ROOT / name) for name in ("generated", "overrides"))
    return kept | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"} | more


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as people do."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)


# Wrong use


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, the commands are listed."""
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("usage: ")
    assert all(f"\n    {name} " in err for name in ("sandbox", "demo"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["load"], "invalid choice: 'load' .*sandbox.*demo"),
        (["--verson"], "unrecognized arguments: --verson"),
        (["demo", "file.csv"], "unrecognized arguments: file.csv"),
        (["demo", "--base"], "unrecognized arguments: --base"),
        (["demo", "--base-url"], "--base-url: expected one argument"),
        (["demo", "--base-url", "ftp://localhost"], "looks like https://host"),
        (["demo", "--base-url", ""], "looks like https://host"),
        (["demo", "--base-url", "http://example.com"], "only sent over https"),
        (["demo", "--base-url", "https://api.hubapi.com"], "set HUBSPOT_ACCESS_TOKEN, or leave"),
        (["sandbox", "--port", "http"], "'http' is no port; .* from 0 to 65535"),
        (["sandbox", "--port", "-1"], "'-1' is no port"),
        (["sandbox", "--port", "65536"], "'65536' is no port"),
        (["sandbox", "--port", "9" * 5000], "is no port"),
        (["sandbox", "--rate-limit", "0"], "'0' is no number of requests from 1"),
        (["sandbox", "--seed", "x"], "'x' is no whole number"),
        (["sandbox", "--seed", "9" * 5000], "is no whole number"),
        (["sandbox", "--host", "0.0.0.0"], "'0.0.0.0' is not this machine alone; .*127.0.0.1"),
        (["sandbox", "--host", "127.evil.example"], "is not this machine alone"),
        (["sandbox", "--token", " "], "it is empty, so no client could use it"),
        (["sandbox", "--fault", "flood"], "no fault is called 'flood'; .*delay.*500_after"),
        (["sandbox", "--fault", "500=often"], "'500=often' is not a number from 0 to 1"),
        (["sandbox", "--fault", "500=1.5"], "'500' must be from 0 to 1; got 1.5"),
        (["sandbox", "--fault", "500=nan"], "must be from 0 to 1; got nan"),
        (["sandbox", "--fault", "500", "--fault", "502"], "add up to 2; at most 1"),
        (["sandbox", "--fault", "reads:500"], "no operation is called 'reads'; .*create_calls"),
    ],
)
def test_wrong_use_ends_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], words: str
) -> None:
    """One line says what is wrong and what would be right; the exit code is 2."""
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert re.match(rf"hubspot-batch( \w+)?: .*{words}", err)


def test_a_port_that_is_taken_ends_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["sandbox", "--port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert re.match(
        f"hubspot-batch: The sandbox cannot listen .* port {port} .*choose another", err
    )


@pytest.mark.parametrize(
    ("missing", "arguments"), [("uvicorn", ["sandbox"]), ("uvicorn", ["demo"]), ("rich", ["demo"])]
)
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
    arguments: Sequence[str],
) -> None:
    """Without the extra, the sentence says how to get it."""
    for name in ("cli.demo.run", "cli.demo.tables"):
        monkeypatch.delitem(sys.modules, f"hubspot_batch.{name}", raising=False)
    # A submodule that was imported before is an attribute, and would be taken from there.
    monkeypatch.delattr("hubspot_batch.cli.demo.run", raising=False)
    monkeypatch.delattr("hubspot_batch.cli.demo.tables", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    assert cli.main(arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert missing in err
    assert 'pip install "hubspot-batch[sandbox]"' in err


# What it prints


def test_the_version_is_quick() -> None:
    """`--version` loads neither the sandbox nor the demo."""
    code = (
        "import sys; from hubspot_batch.cli.main import main; code = main(['--version']); "
        "late = {'uvicorn', 'hubspot_batch.sandbox', 'hubspot_batch.cli.demo'}; "
        "assert not late & set(sys.modules); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"hubspot-batch {version('hubspot-batch')}\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["--version", "sandbox", "demo"]),
        (
            ["sandbox", "--help"],
            ["--host", "--port", "--seed", "--fault", "--token", str(DEFAULT_PORT)],
        ),
        (["demo", "--help"], ["--base-url", "--all", "HUBSPOT_ACCESS_TOKEN", "Exit code"]),
    ],
)
def test_the_help_names_every_option(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], words: Sequence[str]
) -> None:
    """Help is asked for, so it goes to the output and is no failure."""
    assert cli.main(arguments) == 0
    out, err = capsys.readouterr()
    assert all(word in out for word in words)
    assert not err


def test_the_faults_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each fault has a line with its name and what it does."""
    assert cli.main(["sandbox", "--list-faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [fault.name, fault.effect] for fault in FAULTS.values()
    ]


# The sandbox


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `sandbox` until the block ends; gives the process and the first line it prints."""
    with subprocess.Popen(
        [*COMMAND, "sandbox", "--port", "0", *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_sandbox_is_served_until_ctrl_c() -> None:
    """The first line is the address, a client gets its answers there, and Ctrl-C is no failure."""
    with serving() as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        with HubSpotBatch("any", base_url=url) as hubspot:
            result = hubspot.campaigns.read(CAMPAIGN_IDS, properties=["hs_name"])
        assert len(result.succeeded) == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stdout
        assert process.stderr
        out, err = process.stdout.read(), process.stderr.read()
    assert f'HubSpotBatch("any-token", base_url="{url}")' in out
    assert f"hubspot-batch demo --base-url {url}" in out
    assert not err


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sandbox]:
    """Runs `sandbox` with options, and gives what would have been served."""
    kept: list[Sandbox] = []

    def fake(given: Sandbox, *, host: str, port: int, ready: Callable[[str], object]) -> None:
        kept.append(given)
        ready(f"http://{host}:{port}")
        raise KeyboardInterrupt

    monkeypatch.setattr(sandbox, "serve", fake)

    def command(*arguments: str) -> Sandbox:
        assert cli.main(["sandbox", *arguments]) == 0
        return kept[-1]

    return command


def test_the_options_of_the_sandbox_reach_it(
    serve: Callable[..., Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    """Host and port are listened on, seed, token and faults decide about the answers."""
    made = serve(
        *("--host", "localhost", "--port", "80", "--seed", "7", "--token", "t"),
        *("--fault", "create_calls:500", "--fault", "success_code=1"),
    )
    assert capsys.readouterr().out.startswith("http://localhost:80\n")
    assert "seed=7" in repr(made)
    call = {"properties": {"hs_timestamp": "1767603600000"}}
    with HubSpotBatch("t", transport=SandboxTransport(made)) as hubspot:
        assert hubspot.calls.create([call]).unknown
        assert hubspot.campaigns.read(CAMPAIGN_IDS).succeeded
    assert [one.fault for one in made.requests] == ["500", "success_code"]
    with HubSpotBatch("other", transport=SandboxTransport(made)) as hubspot:
        assert hubspot.calls.create_iter([call])
        with pytest.raises(Exception, match="does not accept the token"):
            hubspot.calls.create([call])


def test_the_clock_of_a_served_sandbox_runs(serve: Callable[..., Sandbox]) -> None:
    """A window of requests that is full opens again."""
    made = serve()
    assert not isinstance(made.clock, FakeClock)
    assert made.clock() > FakeClock()()


def test_a_served_sandbox_holds_what_the_demo_updates(serve: Callable[..., Sandbox]) -> None:
    """The example files find the same account there as in the embedded sandbox."""
    made = serve()
    assert len(made.records("marketing_events")) == 61
    assert len(made.records("campaigns")) == 3


# The demo, and how a run can end


def test_the_demo_as_a_command() -> None:
    """With nothing but a file for its output: plain text, and exit code 0."""
    done = run("demo")
    assert done.returncode == 0
    assert not done.stderr
    assert "\x1b" not in done.stdout
    assert "the outcomes match the records in the sandbox" in done.stdout


def test_all_shows_what_succeeded(capsys: pytest.CaptureFixture[str]) -> None:
    """`--all` reaches the demo; so does an output that cannot spell every name."""
    done = run("demo", "--all", PYTHONIOENCODING="ascii", FORCE_COLOR="1")
    assert done.returncode == 0
    assert "caf\\xe9" in done.stdout
    assert "\x1b[32m" in done.stdout
    assert "(--all shows them)" not in done.stdout


def test_a_reader_that_has_seen_enough_is_no_disaster() -> None:
    """`hubspot-batch demo | head -1` ends without a word."""
    with subprocess.Popen(
        [*COMMAND, "demo"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("Loading")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", [["--help"], ["demo"]])
def test_a_full_disk_ends_in_a_sentence(arguments: Sequence[str]) -> None:
    """Output that cannot be written is reported on the other stream."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
    assert done.returncode == 3
    assert re.fullmatch(r"hubspot-batch: the output cannot be written \(.*\)\.\n", done.stderr)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_is_no_disaster(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A program that closed the output or the error stream did not want it."""
    monkeypatch.setattr(sys, name, None)
    assert cli.main(["sandbox", "--list-faults"]) == 0
    assert cli.main(["sandbox", "--fault", "flood"]) == 2


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "hubspot-batch: stopped by a signal; what was on its way may"),
        (BrokenPipeError(), 3, ""),
        (OSError("no more"), 3, "hubspot-batch: the output cannot be written (no more).\n"),
    ],
)
def test_what_stops_a_run_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    words: str,
) -> None:
    """Exit code 3, or that of Ctrl-C, and a sentence where there is anybody to read it."""
    from hubspot_batch.cli.demo import run as demo

    def stop(*_: object, **options: Any) -> int:
        raise raised

    monkeypatch.setattr(demo, "run", stop)
    assert cli.main(["demo"]) == code
    err = capsys.readouterr().err
    assert err.startswith(words)
    assert bool(err) is bool(words)


def test_the_demo_writes_to_an_account_only_if_told_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address alone is refused in a sentence, and `--yes` alone stays in the sandbox."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "made-up")
    assert cli.main(["demo", "--base-url", "https://host.example"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert re.match(r"hubspot-batch: .* made-up .*https://host\.example.* Add --yes", err)
    assert cli.main(["demo", "--yes"]) == 0
    assert "embedded sandbox" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "files", "options"),
    [
        (["a.csv", "--map", "A=b"], ["a.csv"], {"map": ["A=b"]}),
        (["--map", "A=b", "a.csv"], ["a.csv"], {"map": ["A=b"]}),
        (["--map", "A=b", "a.csv", "--map", "C=d"], ["a.csv"], {"map": ["A=b", "C=d"]}),
        (["a.csv", "--map", "A=b", "b.csv"], ["a.csv", "b.csv"], {"map": ["A=b"]}),
        (["a.csv", "--plan", "b.csv", "--yes", "-"], ["a.csv", "b.csv", "-"], {"plan": True}),
        (["--resume", "a.csv"], ["a.csv"], {"resume": "same"}),
        (["a.csv", "--resume"], ["a.csv"], {"resume": "same"}),
        (["--resume", "by-content", "a.csv"], ["a.csv"], {"resume": "by-content"}),
        (["a.csv", "--resume", "by-content"], ["a.csv"], {"resume": "by-content"}),
        (["a.csv", "--resume=by-content", "by-content"], ["a.csv", "by-content"], {}),
        (["a.csv", "--resume", "--", "by-content"], ["a.csv", "by-content"], {"resume": "same"}),
        (["--retry", "failed", "--resume", "a.csv"], ["a.csv"], {"retry": ["failed"]}),
        (["--plan", "--", "-a.csv"], ["-a.csv"], {"plan": True}),
        (["a.csv", "--plan", "--", "-a.csv"], ["a.csv", "-a.csv"], {"plan": True}),
    ],
)
def test_files_stand_anywhere_among_the_options(
    typed: list[str], files: list[str], options: dict[str, Any]
) -> None:
    """As people type them: before options, behind them and between them."""
    found = cli.parse(["calls", "create", *typed])
    assert found.files == files
    assert {name: getattr(found, name) for name in options} == options


def test_an_option_that_there_is_not_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither is what follows it."""
    with pytest.raises(SystemExit):
        cli.parse(["calls", "create", "a.csv", "--plann", "b.csv"])
    assert "unrecognized arguments: --plann" in capsys.readouterr().err


def test_of_several_files_all_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the first is sent when the second was mistyped."""
    there = tmp_path / "a.csv"
    there.write_text("hs_timestamp\n2026-01-31T09:30:00Z\n")
    url = ["--base-url", "http://127.0.0.1:9"]
    assert cli.main(["calls", "create", str(there), "--retry", "failed", "unknown", *url]) == 2
    assert "unknown: there is no such file" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == [there]
