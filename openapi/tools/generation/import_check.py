"""Imports every module of a new package, and then the handwritten package on top of it.

Decides if the new package can be imported. It runs as a script in its own interpreter, in the
folder that holds the package, so that no trial module stays in the calling process. A handwritten
package that does not fit is only reported: to edit it is the next step after the fragments.

Arguments: the package; then, if there is one, the folder and the name of the handwritten package.
Exit status: 0, also if the handwritten package does not fit, which one printed line says; 1 with a
sentence about a module of the new package.
"""

import gc
import importlib
import inspect
import sys
import traceback
import warnings
from pathlib import Path

UNFIT = "The handwritten package does not fit: "  # the beginning of the line that says so


def import_modules(package: str) -> None:
    """Import all modules of the package; a warning about one of them is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=SyntaxWarning)
        warnings.filterwarnings("error", module=package)
        for path in sorted(Path(package).rglob("*.py")):
            parts = path.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - any error is a fault of the module
                sys.exit(f"{path.as_posix()}: {type(error).__name__}: {error}")


def import_handwritten(folder: str, name: str) -> str:
    """Import the handwritten package; return why it does not fit, or an empty text."""
    sys.path.insert(1, folder)
    # This package stays in place, so its compiled files speed up the next run.
    sys.dont_write_bytecode = False
    try:
        importlib.import_module(name)
        # An operation's generated function is imported only when it is needed.
        for spec in getattr(sys.modules.get(f"{name}._operations.registry"), "SPECS", {}).values():
            _ = spec.inputs, spec.result, spec.answer
            taken = inspect.signature(spec.functions.sync_detailed).parameters
            for argument in spec.described.arguments:
                if argument.place != "body" and argument.keyword not in taken:
                    return f"the function {spec.id} takes no {argument.keyword}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may be half edited
        return traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    return ""


if __name__ == "__main__":
    gc.disable()  # as in regenerate.py
    sys.path.insert(0, "")
    import_modules(sys.argv[1])
    if sys.argv[2:] and (reason := import_handwritten(*sys.argv[2:])):
        print(f"{UNFIT}{reason}")
    gc.freeze()
