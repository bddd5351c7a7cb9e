"""Text files that the database cannot read as they are, written anew beside their names: as UTF-8, with LF if need be."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from zen_agents.datasets.contract import Contract, RepairKind
from zen_agents.datasets.encodings import by_database, encoding_in, is_marked, known, looks_like
from zen_agents.datasets.file_sql import OpenedFiles, plain_of
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.written import HEAD_BYTES, FaultError, encoding_of, first_fault, packed_by, told
from zen_agents.workers.log_stream import LogStreamError, opened, unpacked
from zen_agents.workers.whole_rows import leave_out_torn

TEXT: Final = (SourceKind.CSV, SourceKind.TSV, SourceKind.JSONL)


def in_utf8(contract: Contract, files: OpenedFiles) -> tuple[Source, OpenedFiles]:
    """Return files, and how they are written, as the database reads them; BackendError for one that it cannot be told of."""
    source = contract.source
    if source.kind not in TEXT or files.is_empty:
        return source, files
    path, name = next(iter(files.paths.items()))
    try:
        encoding = _encoding(contract, path)
        if _is_read(source, encoding, {_packing(each) for each in files.paths}):
            return replace(source, options=replace(source.options, encoding=encoding)), files
        return _as_plain(source), _rewritten(files, encoding, same_ends=False)
    except (FaultError, LogStreamError) as error:
        raise BackendError(f"{name}: {error}", is_damage=True) from error


def _is_read(source: Source, encoding: str, packings: set[str]) -> bool:
    """Tell whether the database reads such files itself: what is packed, and lines of JSON, in UTF-8 alone."""
    if by_database(encoding) == "utf-8":
        return len(packings) == 1
    return bool(by_database(encoding)) and packings == {"none"} and source.kind is not SourceKind.JSONL


def mended(contract: Contract, files: OpenedFiles) -> tuple[Source, OpenedFiles, int] | None:
    """Return files of which only characters, line ends and single lines are not as they have to be, as if they were.

    The lines that are no rows are left out; it is told how many those are. None for files of which more is wrong.
    """
    source = contract.source
    if source.kind not in TEXT or files.is_empty:
        return None
    plain, left_out = _as_plain(source), 0
    try:
        written = _rewritten(files, _likely(contract, next(iter(files.paths))), same_ends=True)
        if source.kind is not SourceKind.JSONL:
            plain = told(plain, _head(next(iter(written.paths))))
        for path in written.paths:
            if _has_fault(plain, path):
                left_out += leave_out_torn(plain, path)
                if _has_fault(plain, path):
                    return None
    except (FaultError, LogStreamError, UnicodeDecodeError, OSError):
        return None
    return plain, written, left_out


def _has_fault(source: Source, path: str) -> bool:
    with opened(path) as stream:
        return bool(first_fault(source, unpacked(stream)))


def unwanted(contract: Contract, files: OpenedFiles) -> str:
    """Return what of the way in which files are written is not as the contract wants it; "" if all is."""
    if contract.source.kind not in TEXT:
        return ""
    found = ((name, _unwanted(contract, path)) for path, name in files.paths.items())
    return next((f"{name}: {what}" for name, what in found if what), "")


def in_its_encoding(contract: Contract, path: str) -> Contract:
    """Return a contract that wants UTF-8 with what a file is written in now: as its mark says, or UTF-8 once it is that."""
    if not _wants(contract, RepairKind.NORMALISE_ENCODING) or contract.source.kind not in TEXT:
        return contract
    options = contract.source.options
    try:
        said, head = known(options.encoding), _head(path)
    except LogStreamError:  # whoever reads it says why it cannot be
        return contract
    if not said and (shown := encoding_in(head)) not in ("", "utf-8"):
        said = shown.removesuffix("-le").removesuffix("-be") if is_marked(head) else shown
    elif said not in ("", "utf-8") and _is_utf8(path):
        said = "utf-8"
    return replace(contract, source=replace(contract.source, options=replace(options, encoding=said)))


def _unwanted(contract: Contract, path: str) -> str:
    head, said = _head(path), known(contract.source.options.encoding)
    encoding, marked = _encoding(contract, path), is_marked(head)
    wants_utf8 = _wants(contract, RepairKind.NORMALISE_ENCODING)
    if not said and encoding.startswith("utf-16") and not marked:
        return f"it looks like UTF-16 without a byte-order mark; write `encoding: {encoding}`"
    if wants_utf8 and encoding not in ("utf-8", "utf-8-sig"):
        return f"it is written in {encoding}, and `normalise_encoding` wants UTF-8"
    if marked and encoding == "utf-8" and (wants_utf8 or said == "utf-8"):
        return "it begins with a byte-order mark; write `encoding: utf-8-sig` if it may"
    if _wants(contract, RepairKind.NORMALISE_LINE_ENDINGS) and b"\r\n" in head:
        return "its lines end with CRLF, and `normalise_line_endings` wants LF"
    return ""


def _wants(contract: Contract, repair: RepairKind) -> bool:
    return any(each.kind is repair for each in contract.repairs)


def _encoding(contract: Contract, path: str) -> str:
    return encoding_of(in_its_encoding(contract, path).source.options.encoding, _head(path))


def _likely(contract: Contract, path: str) -> str:
    """Return what a file is written in; of one that is not what it has to be, what it looks like."""
    encoding = _encoding(contract, path)
    if encoding != "utf-8":
        return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(path) as stream:
        for piece in unpacked(stream):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return looks_like(error.object)
    return encoding


def _is_utf8(path: str) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with opened(path) as stream:
            for piece in unpacked(stream):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except (UnicodeDecodeError, LogStreamError):
        return False
    return True


def _as_plain(source: Source) -> Source:
    return replace(source, options=replace(source.options, encoding="utf-8", compression="none"))


def _rewritten(files: OpenedFiles, encoding: str, *, same_ends: bool) -> OpenedFiles:
    for path, name in files.paths.items():
        try:
            with Path(plain_of(path)).open("w", encoding="utf-8", newline="") as out:
                out.writelines(_texts(path, encoding, same_ends=same_ends))
        except UnicodeDecodeError as error:
            raise FaultError(f"it is not {encoding} (byte 0x{error.object[error.start]:02x})") from error
        except OSError as error:
            raise BackendError(f"{name} is not UTF-8 and cannot be written anew to be read: {error.strerror}") from error
    return OpenedFiles({plain_of(path): name for path, name in files.paths.items()}, files.modified_at)


def _texts(path: str, encoding: str, *, same_ends: bool) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=same_ends)
    with opened(path) as stream:
        for piece in unpacked(stream):
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)


def _packing(path: str) -> str:
    with opened(path) as stream:
        return packed_by(stream.peek(4)[:4])


def _head(path: str) -> bytes:
    with opened(path) as stream:
        return next(iter(unpacked(stream)), b"")[:HEAD_BYTES]
