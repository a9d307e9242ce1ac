"""Makes the bundle and the generated package from the fragments, or checks that they are current.

generation/pipeline.py has the steps.

Exit status: 0 done (or nothing differs), 1 a step failed, `--check` found a difference or the
handwritten package does not fit the new client, 2 the fragments are wrong, 130 interrupted.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from command_line import add_project, fail, fail_with_problems, parser
from generation import generator, import_check, pipeline
from generation.atomic_swap import BusyError
from generation.yaml_source import SourceError

_UNFIT = (
    "The handwritten package does not fit the new client yet: "
    "see overrides/hubspot_batch/_operations/registry.py."
)
_UNTOUCHED = "generated/ and openapi/openapi.yaml are as they were."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit statuses are listed at the top of this file."""
    options = _parse(arguments)
    project = pipeline.Project(options.project.absolute())
    try:
        tool = generator.find_generator(project.home, options.generator)
        if options.check:
            if found := pipeline.check(project, tool):
                return fail("\n".join(found), 1)
            print("The generated client is what the fragments and templates give.")
            return 0
        done, unfit = pipeline.regenerate(project, tool)
        print(done, flush=True)
        if unfit:  # the client is in place, and the handwritten package is edited next
            return fail(f"{unfit.removeprefix(import_check.UNFIT)}\n{_UNFIT}", 1)
    except SourceError as error:
        return fail_with_problems(error)
    except generator.StepError as error:
        return fail(f"{error}\n{_UNTOUCHED}", 1)
    except BusyError:
        return fail("Another `make regenerate` is at work; wait for it and run this again.", 1)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return fail(f"The step write failed: {what}.\n{_UNTOUCHED}", 1)
    except KeyboardInterrupt:
        return fail(f"Interrupted; {_UNTOUCHED}", 130)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    command = parser(
        "Make the generated client anew from the fragments.",
        "0 done, 1 a step failed, --check found a difference or the handwritten package does not "
        "fit the new client, 2 the fragments are wrong",
    )
    command.add_argument("--check", action="store_true", help="compare, and write nothing")
    command.add_argument("--generator", type=Path, help="the generator's executable")
    add_project(command)
    return command.parse_args(arguments)


if __name__ == "__main__":
    # The process is short and keeps nearly everything that it makes: the garbage collector, now
    # and at the end, would take a fifth of its time.
    gc.disable()
    status = main()
    gc.freeze()
    sys.exit(status)
