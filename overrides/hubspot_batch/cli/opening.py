"""Opens the files of a command that loads them.

This module decides that all files are looked at before the first is sent, so that a mistake in the
last one is no load that stops half way.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.files import FileError, Mapping, open_table
from hubspot_batch.jobs import Work

from .output import complain

_DOUBT_OPTIONS = ("reconcile", "key_property", "stamp_property", "assume_absent_after")


def open_all(arguments: argparse.Namespace) -> dict[str, Work] | None:
    """Look at all files before the first is sent; return None if one cannot be.

    Args:
        arguments: The options of the command.

    Returns:
        The files that cannot be opened twice, or the only one, so that no more are held.
    """
    opened: dict[str, Work] = {}
    wrong = False
    for name in dict.fromkeys(arguments.files):
        try:
            if len(arguments.files) > 1 and name != "-" and not Path(name).exists():
                # It may be a value of an option before it.
                raise FileError("there is no such file, so nothing was sent.", path=name)
            work = open_work(arguments, name)
            work.mapping.check(work.table.columns)
        except ConfigurationError as error:
            which = len(arguments.files) > 1 and not isinstance(error, FileError)
            complain(f"{name}: {error.message}" if which else error.message)
            wrong = True
        else:
            if name == "-" or len(arguments.files) == 1 or Path(name).is_fifo():
                opened[name] = work
    return None if wrong else opened


def open_work(arguments: argparse.Namespace, name: str) -> Work:
    """Return what to do with a file, as the options say.

    Raises:
        ConfigurationError: The file or an option is wrong.
    """
    mapping = Mapping.from_options(
        operation=arguments.operation,
        map=arguments.map,
        set=arguments.set,
        associate=arguments.associate,
        timezone=arguments.timezone,
        ignore=arguments.ignore,
        ignore_unknown=arguments.ignore_unknown,
    )
    table = open_table(
        name,
        format=arguments.format,
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        sheet=arguments.sheet,
        headings=arguments.headings,
    )
    prefix = "argument_"
    given = {
        option.removeprefix(prefix): value
        for option, value in vars(arguments).items()
        if option.startswith(prefix) and value is not None
    }
    work = Work(
        arguments.operation,
        table,
        mapping,
        given,
        getattr(arguments, "allow_implausible", False),
        arguments.limit,
        _doubt_options(arguments),
    )
    _ = work.call  # which refuses arguments that are not valid
    return work


def _doubt_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options about rows that may have been created, as far as they are given."""
    given = {name: getattr(arguments, name, None) for name in _DOUBT_OPTIONS}
    if given["assume_absent_after"] is not None and not given["reconcile"]:
        raise ConfigurationError("--assume-absent-after needs --reconcile.")
    return {name: value for name, value in given.items() if value not in (None, False)}
