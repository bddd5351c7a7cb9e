"""How a text file is written, told from its bytes before a database reads it; and what in it is not as it has to be."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from zen_agents.datasets import encodings
from zen_agents.datasets.source import Source, SourceKind, SourceOptions

#: So much of a file tells how it is written (bytes).
HEAD_BYTES: Final = 1 << 16
#: What the library takes as one line, at most (bytes).
MOST_LINE: Final = 2_000_000
_MARK: Final = "\ufeff"
_DELIMITERS: Final = ",;\t|"
_PACKED: Final = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_ENDS: Final = {"\r\n": "CRLF", "\n": "LF", "": "nothing"}


class FaultError(ValueError):
    """A file is not as it has to be; the message says which line, and what is wrong with it."""


def packed_by(first: bytes) -> str:
    """Return what the first bytes of a file say it is packed by: `gzip`, `zstd` or `none`."""
    return next((kind for mark, kind in _PACKED if first.startswith(mark)), "none")


def told(source: Source, head: bytes) -> Source:
    """Return the source with what the unpacked head of its first file tells and it does not say; raises FaultError."""
    options = source.options
    encoding = encoding_of(options.encoding, head)
    delimiter = options.delimiter or ("\t" if source.kind is SourceKind.TSV else "")
    quote = options.quote or '"'
    options = replace(options, encoding=encoding, quote=quote, escape=options.escape or quote)
    if not delimiter:
        delimiter = _delimiter(_text_of(head, encoding), quote)
    return replace(source, options=replace(options, delimiter=delimiter))


def header_of(options: SourceOptions, head: bytes) -> Sequence[str]:
    """Return the first row of a file; raises FaultError for one that names a column twice."""
    seen = _Seen(_text_of(head, options.encoding).splitlines(keepends=True))
    try:
        first: Sequence[str] = next(_records(seen, options), [])
    except csv.Error:  # a quote that does not end here
        return ()
    if not seen.end and len(head) >= HEAD_BYTES:  # it goes on behind the head
        first = first[:-1]
    if options.header is not False:
        twice = [each for each, count in Counter(map(str.lower, first)).items() if count > 1]
        if twice:
            raise FaultError(f"the header has {twice[0]!r} twice")
    return first


def differing(first: Sequence[str], other: Sequence[str]) -> str:
    """Return how a header is another than that of the first file; "" if it is not."""
    if [*first] == [*other]:
        return ""
    gone, more = ([each for each in one if each not in rest] for one, rest in ((first, other), (other, first)))
    said = [f"{what}: {', '.join(map(repr, names[:5]))}" for what, names in (("missing", gone), ("more", more)) if names]
    return "; ".join(said) or "the same columns in another order"


def first_fault(source: Source, pieces: Iterable[bytes], *, is_all: bool = True) -> str:
    """Return what is wrong with the first line that is not as the others, or cannot be read at all; "" for none.

    `is_all`: they go to the end of the file; otherwise the last line is no whole one.
    """
    try:
        if source.kind is SourceKind.JSONL:
            _check_objects(_lines(pieces, source.options.encoding or "utf-8", is_all=is_all), is_all=is_all)
        else:
            lines = _lines(pieces, source.options.encoding or "utf-8", is_all=is_all)
            _check_rows(lines, source.options, is_all=is_all)
    except FaultError as fault:
        return str(fault)
    return ""


def encoding_of(said: str, head: bytes) -> str:
    """Return Python's name of what a file is written in, by what is said of it and its beginning; raises FaultError."""
    shown = encodings.encoding_in(head)
    if not said:
        return shown or "utf-8"
    known = encodings.known(said)
    if not known:
        raise FaultError(f"nobody knows the encoding {said!r}; correct it in the contract")
    if shown and not encodings.agree(known, shown):
        raise FaultError(f"it begins like {shown}, and `encoding` says {said}")
    return shown if shown.startswith("utf-16") else known


def _text_of(head: bytes, encoding: str) -> str:
    return codecs.decode(head, encoding or "utf-8", "replace").removeprefix(_MARK)


def _delimiter(text: str, quote: str) -> str:
    """Return what most likely stands between values: what cuts the most lines into as many as the first."""
    lines = text.splitlines(keepends=True)[:100]
    lines = lines[:-1] if len(lines) > 1 and not lines[-1].endswith("\n") else lines

    def rank(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
        width = counts[0] if counts else 0
        alike = counts.count(width)
        return (alike, width) if width > 1 and 2 * alike > len(counts) else (0, 0)

    return max(_DELIMITERS, key=rank)


def _lines(pieces: Iterable[bytes], encoding: str, *, is_all: bool) -> Iterator[str]:
    decoder, rest, number = codecs.getincrementaldecoder(encoding)(), "", 0
    for piece in chain(pieces, (b"",)):
        try:
            text = decoder.decode(piece, final=is_all and not piece)
            *whole, rest = (rest + (text if number or rest else text.removeprefix(_MARK))).split("\n")
        except UnicodeDecodeError as error:
            number += 1 + error.object[: error.start].count(b"\n")
            byte = f"byte 0x{error.object[error.start]:02x}"
            likely = encodings.looks_like(error.object) if encoding == "utf-8" else ""
            hint = f"; if it is {likely}, write `encoding: {likely}`" if likely else ""
            raise FaultError(f"line {number} is not {encoding.upper()} ({byte}){hint}") from None
        number += len(whole)
        yield from (f"{each}\n" for each in whole)
        if len(rest) > MOST_LINE:
            raise FaultError(f"line {number + 1} is longer than {MOST_LINE:,} characters")
    if rest:
        yield rest


class _Seen:
    """Lines, as a reader of rows takes them; the last is remembered."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.last = iter(lines), ""

    def __iter__(self) -> _Seen:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        if len(self.last) > MOST_LINE:
            raise FaultError(f"a line is longer than {MOST_LINE:,} characters")
        return self.last

    @property
    def end(self) -> str:
        return "\r\n" if self.last.endswith("\r\n") else "\n" if self.last.endswith("\n") else ""


def _records(lines: Iterable[str], options: SourceOptions) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    escape = None if options.escape in ("", options.quote) else options.escape
    return csv.reader(
        lines, delimiter=options.delimiter or ",", quotechar=options.quote or '"', doublequote=escape is None,
        escapechar=escape, strict=True,
    )  # fmt: skip


def _check_rows(lines: Iterable[str], options: SourceOptions, *, is_all: bool) -> None:
    seen = _Seen(lines)
    rows, width, end, number = _records(seen, options), 0, "", 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            if is_all:
                raise FaultError(f"the row behind line {number} has a quote that does not end, or one too many") from error
            return
        if row is None or not (is_all or seen.end):
            return
        number = rows.line_num  # type: ignore[attr-defined]
        if not row:
            continue
        width, end = width or len(row), end or seen.end
        if "\0" in seen.last:
            raise FaultError(f"line {number} has a NUL byte")
        if seen.end and seen.end != end:
            raise FaultError(f"line {number} ends with {_ENDS[seen.end]}, and those before it with {_ENDS[end]}")
        if len(row) != width:
            what = "the last line is torn: line" if not seen.end else "line"
            raise FaultError(f"{what} {number} has {len(row)} values, and the first has {width}")


def _check_objects(lines: Iterable[str], *, is_all: bool) -> None:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or not (is_all or line.endswith("\n")):
            continue
        try:
            read = json.loads(line)
        except (ValueError, RecursionError) as error:
            what = "the last line is torn: line" if not line.endswith("\n") else "line"
            raise FaultError(f"{what} {number} is no JSON: {str(error).partition(': line')[0]}") from None
        if not isinstance(read, dict):
            raise FaultError(f"line {number} is no object of JSON")
