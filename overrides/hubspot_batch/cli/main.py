"""The console command `hubspot-batch`.

This module decides what the command's options are, and with which exit code and which sentence a
run ends: 0 done, 1 done but something is not right, 2 wrong use, 3 stopped, 130 Ctrl-C. It does no
work of its own, and loads what does it only when it is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from hubspot_batch.version import __version__

from .parser import WRONG_USE, Parser

if TYPE_CHECKING:
    from hubspot_batch.sandbox import TokenUsage

PROGRAM = "hubspot-batch"

DONE, STOPPED, CTRL_C = 0, 3, 130

_EXAMPLE = f"""\
example:
  {PROGRAM} mapping calls.csv > calls.toml
  {PROGRAM} calls create calls.csv --map calls.toml --plan
  {PROGRAM} calls create calls.csv --map calls.toml"""
_COMPLETION = f"""\
examples:
  {PROGRAM} completion bash > ~/.local/share/bash-completion/completions/{PROGRAM}
  {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish
  {PROGRAM} completion zsh > DIR/_{PROGRAM}     (DIR is a folder in $fpath)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        argv: The arguments; those of this process by default.
    """
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt as error:
        said = "stopped by a signal; what was on its way may have been done."
        code = _end(said, getattr(error, "code", CTRL_C))
    except BrokenPipeError:
        # The reader of the output has seen enough; that needs no words.
        _discard_output()
        code = STOPPED
    except OSError as error:
        _discard_output()
        code = _end(f"the output cannot be written ({error}).", STOPPED)
    return code


def _run(argv: Sequence[str] | None, token: str | None = None) -> int:
    given = [*(sys.argv[1:] if argv is None else argv)]
    try:
        arguments = parse(given, token)
    except SystemExit as end:  # argparse has said what there is to say
        return int(end.code or 0)
    if arguments.run is None:
        _parser(given[:1]).print_help(sys.stderr)
        return WRONG_USE
    run: Callable[[argparse.Namespace, TextIO], int] = arguments.run
    with _output() as stream:
        return run(arguments, stream)


def parse(given: list[str], token: str | None = None) -> argparse.Namespace:
    """Return the options of a command.

    Args:
        given: Its arguments.
        token: The token; None for the environment's.

    Raises:
        SystemExit: They are wrong, or there is nothing to run; that was said.
    """
    return _parser(given[:1]).parse_args(
        _resuming(given), argparse.Namespace(argv=given, wall=time.time, token=token)
    )


def _resuming(given: list[str]) -> list[str]:
    """Return arguments with the value of `--resume`, which may be left out before a file."""
    end = given.index("--") if "--" in given else len(given)
    made: list[str] = []
    before = ""
    for one in given[:end]:
        if before == "--resume" and one in ("same", "by-content"):
            made[-1] = f"--resume={one}"
        else:
            made.append("--resume=same" if one == "--resume" else one)
        before = one
    return [*made, *given[end:]]


def _parser(first: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of a command that begins with a word."""
    parser = Parser(
        PROGRAM,
        description="HubSpot's batch endpoints, with a true outcome for every input.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    sandbox = commands.add_parser(
        "sandbox",
        help="serve a stand-in for HubSpot's API on this machine",
        description="Serve a stand-in for HubSpot's API on this machine, until Ctrl-C. The first "
        "line of the output is its base URL.",
        allow_abbrev=False,
    )
    sandbox.add_argument(
        "--host", type=_host, default="127.0.0.1", help="an address of loopback (%(default)s)"
    )
    sandbox.add_argument(
        "--port", type=_port, default=8765, help="0 takes a free one (%(default)s)", metavar="N"
    )
    sandbox.add_argument(
        "--seed", type=_seed, default=0, help="of every random choice (%(default)s)", metavar="N"
    )
    sandbox.add_argument(
        "--token", type=_token, help="a made-up token, the only one let in (any by default)"
    )
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="[OPERATION:]NAME[=RATE]",
        help="what goes wrong, and how often, from 0 to 1 (1); can be given several times",
    )
    sandbox.add_argument(
        "--rate-limit",
        type=_rate_limit,
        default=100,
        metavar="N",
        help="requests in any 10 seconds (%(default)s)",
    )
    sandbox.add_argument(
        "--report",
        action="store_true",
        help="at the end, print how clients used the rate limit: for each token and each address",
    )
    sandbox.add_argument("--list-faults", action="store_true", help="print the names of all faults")
    sandbox.set_defaults(run=_sandbox)

    demo = commands.add_parser(
        "demo",
        help="load example files and show what became of each row",
        description="Load the example files through all four operations and show what became of "
        "each row. They go into the embedded sandbox. A HubSpot account gets these made-up "
        "records only with both --base-url and --yes.",
        epilog="Exit code: 0 loaded (bad rows are part of it), 1 the sandbox does not hold what "
        "the client said, 2 wrong use, 3 stopped.",
        allow_abbrev=False,
    )
    demo.add_argument(
        "--base-url",
        metavar="URL",
        help="the server to load into, such as https://api.hubapi.com; the token is the "
        "environment's HUBSPOT_ACCESS_TOKEN",
    )
    demo.add_argument(
        "--yes",
        action="store_true",
        help="create made-up records in the HubSpot account of --base-url; nothing removes them",
    )
    demo.add_argument("--all", action="store_true", help="show the rows that succeeded, too")
    demo.set_defaults(run=_demo)

    completion = commands.add_parser(
        "completion",
        help="print what completes this command in a shell",
        description="Print a script that completes this command in a shell.",
        epilog=_COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(run=_completion)
    if first not in (["sandbox"], ["demo"], ["--version"]):
        from .command_list import add_commands  # noqa: PLC0415 - the others need no operation

        add_commands(commands, _load, first)
    return parser


def _load(arguments: argparse.Namespace, stream: TextIO) -> int:
    from .load import load  # noqa: PLC0415 - only when it is asked for

    return load(arguments, stream)


def _sandbox(arguments: argparse.Namespace, stream: TextIO) -> int:
    from hubspot_batch.sandbox import FAULTS, Sandbox, ServeError, serve  # noqa: PLC0415
    from hubspot_batch.sandbox.fault_plans import parse  # noqa: PLC0415

    from .demo.account import fill_account  # noqa: PLC0415 - only when it is asked for

    if arguments.list_faults:
        stream.writelines(f"{fault.name:<15} {fault.effect}\n" for fault in FAULTS.values())
        return DONE
    try:
        sandbox = Sandbox(
            seed=arguments.seed,
            token=arguments.token,
            rate_limit=(arguments.rate_limit, 10.0),
            faults=parse(arguments.fault),
            clock=time.time,
        )
    except ValueError as error:
        return _end(f"--fault: {error}.", WRONG_USE)
    fill_account(sandbox)
    campaigns, events = (
        ", ".join(record.id for record in sandbox.records(family)[:2])
        for family in ("campaigns", "marketing_events")
    )

    def ready(url: str) -> None:
        token = "the token that --token gives" if arguments.token else '"any-token"'
        stream.write(
            f"{url}\n"
            f"The sandbox listens there until Ctrl-C, and forgets everything then.\n"
            f'Point a client at it: HubSpotBatch({token}, base_url="{url}")\n'
            f"Or load the example files into it: {PROGRAM} demo --base-url {url}\n"
            f"It holds the campaigns {campaigns},\n"
            f"the marketing events {events}, and others.\n"
        )
        stream.flush()

    if arguments.report:
        # SIGTERM would end the process before the report.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(sandbox, host=arguments.host, port=arguments.port, ready=ready)
    except ServeError as error:
        return _end(str(error), WRONG_USE)
    except KeyboardInterrupt:
        pass
    if arguments.report:
        stream.writelines(f"{line}\n" for line in _usage(sandbox.usage()))
    return DONE


def _usage(found: Sequence[TokenUsage]) -> Iterator[str]:
    for number, usage in enumerate(found, 1):
        first, *others = usage.lines()
        yield f"token {number}: {first}"
        yield from others
    if not found:
        yield "No request counted."


def _demo(arguments: argparse.Namespace, stream: TextIO) -> int:
    from hubspot_batch.errors import HubSpotBatchError  # noqa: PLC0415 - only when it is asked for
    from hubspot_batch.sandbox import ServeError  # noqa: PLC0415

    try:
        from .demo.run import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _end(
            f'the demo needs {error.name} for its tables: pip install "{PROGRAM}[sandbox]"',
            WRONG_USE,
        )
    try:
        return run(
            stream,
            _run,
            base_url=arguments.base_url,
            everything=arguments.all,
            confirmed=arguments.yes,
        )
    except (HubSpotBatchError, ServeError) as error:
        return _end(str(error), WRONG_USE)


def _completion(arguments: argparse.Namespace, stream: TextIO) -> int:
    try:
        from .completion import script  # noqa: PLC0415 - only when it is asked for
    except ModuleNotFoundError as error:
        return _end(
            f'completion needs {error.name}: pip install "{PROGRAM}[cli]"',
            WRONG_USE,
        )
    stream.write(f"{script(_parser(), arguments.shell)}\n")
    return DONE


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is no port; it is a whole number from 0 to 65535, and 0 takes a free one"
    )


def _rate_limit(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 6 and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of requests from 1 to 99999")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def _host(text: str) -> str:
    from hubspot_batch.options import is_loopback  # noqa: PLC0415 - only when it is asked for

    if text == "localhost" or (text.startswith("127.") and is_loopback(text)):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not this machine alone; the sandbox serves 127.0.0.1, another address that "
        "begins with 127, or localhost"
    )


def _token(text: str) -> str:
    if text.strip():
        return text.strip()
    raise argparse.ArgumentTypeError("it is empty, so no client could use it")


@contextlib.contextmanager
def _output() -> Generator[TextIO, None, None]:
    """Give where output goes; a character that has no place there becomes an escape."""
    if sys.stdout is None:  # closed by the program that started the command
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device
            yield nowhere
        return
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")
    yield sys.stdout


def _discard_output() -> None:
    """Let nothing be written any more, not even when the process ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _end(sentence: str, code: int) -> int:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    return code
