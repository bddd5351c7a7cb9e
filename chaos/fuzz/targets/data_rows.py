"""A text of rows that others wrote: records that are its very bytes, wherever a read ended, or a named error."""

from __future__ import annotations

import contextlib

from chaos.fuzz.given import folder, put
from chaos.fuzz.promise import promise
from zen_agents.datasets.records import Records
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.written import FaultError, header_of, told
from zen_agents.workers.whole_rows import leave_out_torn

SEEDS = (
    b'id,v\n1,a\n2,"b\nc"\n3\n',
    b"\xef\xbb\xbfid;v\r\n1;'a'\r\n\r\n",
    b'a,b\n1,"x\n2,"y"\n',
    b'{"id": 1}\n{"id": \n[1]\n',
    b"\xff\xfei\0d\0\n\0",
    b'"' * 300 + b"\n",
    b"id\tid\n1\t2\n",
    b"a,b\n1,2,3\n4,5\n\0,1\n",
)
WORDS = (b'"', b'""', b"\r\n", b"\n\n", b",", b";", b"\t", b"{", b"\xff", b"\0")
_PIECE = 7


def fuzz(data: bytes) -> None:
    """Tell the records of one text apart, whole and piece by piece, and leave out what is no row."""
    for kind in (SourceKind.CSV, SourceKind.JSONL):
        source = Source(kind, str(folder("rows") / "a"))
        with contextlib.suppress(FaultError):
            options = told(source, data).options if kind is SourceKind.CSV else None
            if options is not None:
                header_of(options, data)
            whole = _records(Records(options), [data])
            promise(b"".join(whole) == data, "the records are not the text")
            pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
            promise(_records(Records(options), pieces) == whole, "other records where it is read in pieces")
        # It is written anew as UTF-8 before that.
        with contextlib.suppress(FaultError, UnicodeDecodeError):
            data.decode()
            file = put(folder("rows") / "a", data)
            left_out = leave_out_torn(source, str(file))
            promise(bool(left_out) or file.read_bytes() == data, "nothing was left out, and it changed")


def _records(records: Records, pieces: list[bytes]) -> list[bytes]:
    return [each for batch in records.batches(pieces) for each in batch]
