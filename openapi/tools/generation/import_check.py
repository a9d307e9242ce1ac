"""Imports every module of a new package, and then the face that stands on it.

Run in an interpreter of its own, in the folder that holds the package: modules of a trial must not
stay in the process that goes on. Decides whether the package can be imported; that the face cannot
be is told, since to make it fit is the next step of whoever changed the fragments.

Arguments: the package, and the folder and the name of the face, if there is one. Exit status: 0,
also when the face does not fit, about which a line is printed; 1 with a sentence about a module of
the package.
"""

import gc
import importlib
import inspect
import sys
import traceback
import warnings
from pathlib import Path

UNFIT = "The face does not fit: "  # begins that line


def import_modules(package: str) -> None:
    """Import all of the package; a warning about one of its modules is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=SyntaxWarning)
        warnings.filterwarnings("error", module=package)
        for path in sorted(Path(package).rglob("*.py")):
            parts = path.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the module's fault
                sys.exit(f"{path.as_posix()}: {type(error).__name__}: {error}")


def import_handwritten(folder: str, name: str) -> str:
    """Import the face, which finds the new package; returns why it cannot be, or nothing."""
    sys.path.insert(1, folder)
    # It stays where it is, so that what is compiled now need not be compiled by the next run.
    sys.dont_write_bytecode = False
    try:
        importlib.import_module(name)
        # What is generated for an operation is imported no sooner than it is carried out.
        for row in getattr(sys.modules.get(f"{name}.operations"), "ROWS", {}).values():
            _ = row.input, row.result, row.answer
            taken = inspect.signature(row.send).parameters
            for argument in row.described.arguments:
                if argument.place == "query" and argument.keyword not in taken:
                    return f"the function {row.id} takes no {argument.keyword}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may be in the middle of a change
        return traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    return ""


if __name__ == "__main__":
    gc.disable()  # as in regenerate.py: a short process makes no garbage worth the search
    sys.path.insert(0, "")
    import_modules(sys.argv[1])
    if sys.argv[2:] and (reason := import_handwritten(*sys.argv[2:])):
        print(f"{UNFIT}{reason}")
    gc.freeze()
