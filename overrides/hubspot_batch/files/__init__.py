"""Files and tables: rows in, inputs or reasons out.

It decides what a row is, what its cells mean, and how a row is written back. In: a file, a
DataFrame or rows. Out: an input for each row, or why it has none; rows in the file's own form.
"""

from .errors import EmptyTableError, FileError, MappingError
from .mapping import Mapping
from .opening import open_table
from .proposals import propose
from .row_mapper import Input, InvalidRow, RowMapper
from .table import FileForm, Row, Table
from .writing import RowWriter

__all__ = [
    "EmptyTableError",
    "FileError",
    "FileForm",
    "Input",
    "InvalidRow",
    "Mapping",
    "MappingError",
    "Row",
    "RowMapper",
    "RowWriter",
    "Table",
    "open_table",
    "propose",
]
