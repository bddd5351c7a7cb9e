"""Leaves out of a text what is no row, so that what can be read of it is checked."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

from zen_agents.datasets.records import Records, is_blank
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.datasets.written import HEAD_BYTES, FaultError, told


def leave_out_torn(source: Source, path: str) -> int:
    """Write a plain text of UTF-8 anew in its place, without what in it is no row; return how many lines those are.

    FaultError where a quote does not end, so that nobody can tell what behind it are rows, and where most lines are none.
    """
    place, fresh = Path(path), Path(f"{path}.new")
    with place.open("rb") as stream, fresh.open("wb") as out:
        options = None if source.kind is SourceKind.JSONL else told(source, stream.read(HEAD_BYTES)).options
        stream.seek(0)
        is_row, rows, left_out = _is_object if options is None else _of_one_width(options), 0, 0
        for records in Records(options).batches(iter(lambda: stream.read(HEAD_BYTES), b"")):
            kept = [each for each in records if is_blank(each) or is_row(each)]
            out.writelines(kept)
            rows, left_out = rows + len(kept), left_out + len(records) - len(kept)
    if left_out > rows:
        raise FaultError("most of its lines are no rows; this may be another kind of file")
    fresh.replace(place)
    return left_out


def _is_object(record: bytes) -> bool:
    try:
        return isinstance(json.loads(record), dict)
    except (ValueError, RecursionError):
        return False


def _of_one_width(options: SourceOptions) -> Callable[[bytes], bool]:
    """Return what tells whether a record has as many values as the first."""
    delimiter, quote = options.delimiter.encode(), options.quote.encode()
    escape = None if options.escape == options.quote else options.escape
    width = 0

    def values(record: bytes) -> int:
        if quote not in record:
            return record.count(delimiter) + 1
        try:
            return len(next(csv.reader(
                [record.decode()], delimiter=options.delimiter, quotechar=options.quote, doublequote=escape is None,
                escapechar=escape, strict=True,
            )))  # fmt: skip
        except csv.Error as error:
            if record.strip(b"\n").count(b"\n"):
                raise FaultError("a quote does not end") from error
            return -1

    def is_row(record: bytes) -> bool:
        nonlocal width
        width = width or values(record)
        return values(record) == width and b"\0" not in record

    return is_row
