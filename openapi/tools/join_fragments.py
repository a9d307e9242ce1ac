"""Joins root.yaml and the fragments into openapi.yaml, or checks that it is what they give.

`make regenerate` does this and generates the client too; this needs no generator.

Exit status: 0 written (or up to date), 1 `--check` found another text or the file cannot be
written, 2 the fragments are wrong.
"""

import argparse
import sys
from pathlib import Path

from command_line import print_problems
from generation import bundle
from generation.yaml_source import SourceError, shown

HOME = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the status is described at the top of this file."""
    parser = argparse.ArgumentParser(description="Join the fragments into one description.")
    parser.add_argument("--root", type=Path, default=HOME, help="folder of root.yaml")
    parser.add_argument("--output", type=Path, help="the bundle (default: openapi.yaml there)")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(arguments)
    output: Path = options.output or options.root / "openapi.yaml"
    try:
        text = bundle.build(options.root).text
        if not options.check:
            bundle.write(output, text)
            print(f"{shown(output)} is written.")
        elif not output.is_file():
            print(f"{shown(output)} is missing; run `make regenerate`.", file=sys.stderr)
            return 1
        elif output.read_bytes() != text.encode():
            says = "is not what the fragments say; run `make regenerate`."
            print(f"{shown(output)} {says}", file=sys.stderr)
            return 1
        else:
            print(f"{shown(output)} is what the fragments say.")
    except SourceError as error:
        print_problems(error)
        return 2
    except OSError as error:
        print(f"{shown(output)}: {error.strerror}; nothing was written.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
