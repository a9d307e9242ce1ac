"""Joins root.yaml and the fragments into openapi.yaml, or checks that it is current.

`make regenerate` does this and generates the client too; this command needs no generator.

Exit status: 0 written (or up to date), 1 `--check` found another text or the file cannot be
written, 2 the fragments are wrong.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import PROJECT, fail, fail_with_problems, parser
from generation import bundle
from generation.atomic_swap import write_file
from generation.yaml_source import SourceError, shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    command = parser(
        "Join the fragments into one description.",
        "0 written or up to date, 1 --check found another text or the file cannot be written, "
        "2 the fragments are wrong",
    )
    command.add_argument(
        "--root", type=Path, default=PROJECT / "openapi", help="folder of root.yaml"
    )
    command.add_argument("--output", type=Path, help="the bundle (default: openapi.yaml there)")
    command.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = command.parse_args(arguments)
    output: Path = options.output or options.root / "openapi.yaml"
    try:
        text = bundle.build(options.root).text
        if not options.check:
            write_file(output, text)
            print(f"{shown(output)} is written.")
        elif not output.is_file():
            return fail(f"{shown(output)} is missing; run `make regenerate`.", 1)
        elif output.read_bytes() != text.encode():
            says = "is not what the fragments say; run `make regenerate`."
            return fail(f"{shown(output)} {says}", 1)
        else:
            print(f"{shown(output)} is what the fragments say.")
    except SourceError as error:
        return fail_with_problems(error)
    except OSError as error:
        return fail(f"{shown(output)}: {error.strerror}; nothing was written.", 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
