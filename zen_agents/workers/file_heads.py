"""Looks at the files of a data set before a database reads them, and at all of one that it could not read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.file_sql import OpenedFiles
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.written import HEAD_BYTES, FaultError, differing, first_fault, header_of, packed_by, told
from zen_agents.workers.log_stream import LogStreamError, opened, unpacked
from zen_agents.workers.plain_text import TEXT, in_utf8


def as_written(source: Source, files: OpenedFiles) -> Source:
    """Return the source with what its files tell of how they are written.

    BackendError says which file is damaged, and where: packed ones are unpacked to their end for that, of others the
    beginning is looked at.
    """
    if source.kind not in TEXT or files.is_empty:
        return source
    first: list[str] | None = None
    for path, known in files.paths.items():
        try:
            head, packing = _head(path)
            if first is None:
                source = told(source, head) if source.kind is not SourceKind.JSONL else source
                source = replace(source, options=replace(source.options, compression=source.options.compression or packing))
            if fault := first_fault(source, (head,), is_all=len(head) < HEAD_BYTES):
                raise FaultError(fault)
            if source.kind is not SourceKind.JSONL:
                header = [*header_of(source.options, head)] if head else first or []
                if first is not None and source.options.header is not False and (how := differing(first, header)):
                    raise FaultError(f"its header is not that of the first file: {how}")
                first = first or header
        except (FaultError, LogStreamError) as error:
            raise BackendError(f"{known}: {error}", is_damage=not str(error).startswith("needs zstd")) from error
    return source


def why_unreadable(contract: Contract, files: OpenedFiles) -> str:
    """Return which line of which file is at fault, by reading all of them; "" if none is found."""
    if contract.source.kind is SourceKind.PARQUET:
        faults = ((known, _parquet_fault(path)) for path, known in files.paths.items())
        return next((f"{known}: {fault}" for known, fault in faults if fault), "")
    if contract.source.kind not in TEXT:
        return ""
    try:
        source, files = in_utf8(contract, files)
        source = as_written(source, files)
        for path, known in files.paths.items():
            with opened(path) as stream:
                if fault := first_fault(source, unpacked(stream)):
                    return f"{known}: {fault}"
    except (BackendError, LogStreamError) as error:
        return str(error)
    return ""


def _parquet_fault(path: str) -> str:
    """Return what the ends of a Parquet file say is wrong with it; "" if they are as they have to be."""
    with Path(path).open("rb") as stream:
        begins = stream.read(4)
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4))
        ends = stream.read(4)
    if begins != b"PAR1":
        return "is no Parquet file" if begins else "is empty, which no Parquet file is"
    return "" if ends == b"PAR1" else "has no footer: it is being written, or was cut off"


def _head(path: str) -> tuple[bytes, str]:
    """Return the beginning of a file, unpacked, and what it is packed by; a packed one is read to its end."""
    with opened(path) as stream:
        packing = packed_by(stream.peek(4)[:4])
        if packing == "none":
            return stream.read(HEAD_BYTES), packing
        pieces = unpacked(stream)
        head = b"".join(_until(pieces, HEAD_BYTES))
        deque(pieces, maxlen=0)
        return head[:HEAD_BYTES], packing


def _until(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in islice(pieces, size):
        yield piece
        size -= len(piece)
        if size <= 0:
            return
