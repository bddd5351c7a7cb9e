"""What anybody writes into a log: the same lines wherever a read ended, and every format reads them or does not."""

from __future__ import annotations

from datetime import UTC

from chaos.fuzz.promise import promise
from zen_agents.errors import LogEncodingError
from zen_agents.logs.formats.base import MOST_FIELDS
from zen_agents.logs.formats.catalog import FORMATS, detected
from zen_agents.logs.joining import Joiner
from zen_agents.logs.lines import LineSplitter
from zen_agents.logs.stamps import AHEAD_SECONDS, Stamps

_NOW = Stamps(1_795_780_800.0, UTC)
#: Of a field's common names, so many may be beside the most that a line may have.
_COMMON_NAMES = 5

SEEDS = (
    b"Nov 27 11:59:58 web1 sshd[4242]: Invalid user Nov 27 11:59:58 x sshd[1]: a from 192.0.2.7\n",
    b'<165>1 2003-10-11T22:14:15.003Z host app - ID47 [x@1 iut="3" a="\\"b\\]"][y@2 c="d"] \xef\xbb\xbfevent\r\n',
    b'shop:443 127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 23 "-" "Moz" rt=0.25 0.250\n',
    b'{"ts": 1764244798.5, "level": 50, "msg": "slow", "a": {"b": {"c": [1, "\\ud800"]}}}\n{"a":' + b"{" * 40,
    b'time=2026-11-27T11:59:58Z level=warn msg="a \\"b" c=d\n',
    b"[Fri Nov 27 11:59:58.123 2026] [core:error] x\n",
    b"2026-11-27 11:59:58,123 ERROR y\nTraceback (most recent call last):\n  a\nE: b\n",
    b"panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1\njava.lang.Error: x\n\tat a\nCaused by: b\n",
    b"\0\0\0\0one\n\xff\xfe\n",
    b"\xff\xfea\0\n\0",
    b"Feb 29 23:59:60 h p: m\n1999999999999\n",
)
WORDS = (
    b"\n",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"<34>",
    b"[",
    b'"',
    b"\\",
    b'{"',
    b"=",
    b"Traceback",
    b"\tat ",
    b"goroutine 1 ",
    b"Dec 31",
)


def fuzz(data: bytes) -> None:
    """Cut one input in pieces of a size that it names itself; then read every line in every format."""
    pieces, longest = (data[0] % 32 + 1, data[0] + 1) if data else (1, 1)
    try:
        lines = _split([data], longest)
        again = _split([data[at : at + pieces] for at in range(0, len(data), pieces)], longest)
    except LogEncodingError:
        # Refused as a whole, which is a promise kept.
        return
    promise(lines == again, "other lines when cut in other places")
    text = lines.decode()
    joiner = Joiner()
    for line in text.split("\n")[:-1]:
        for make in FORMATS.values():
            record = make().record(line, "s", _NOW)
            promise(len(record.fields) <= MOST_FIELDS + _COMMON_NAMES, "too many fields")
            promise(record.at is None or 0 <= record.at <= _NOW.now + AHEAD_SECONDS, "a time that cannot be")
            promise(all((name + value).encode() is not None for name, value in record.fields.items()), "unwritable")
        joiner.feed(line)
    detected(text.split("\n"), _NOW)
    promise(Joiner.restored(joiner.saved()).end() == joiner.end(), "an entry that a restart changes")


def _split(chunks: list[bytes], longest: int) -> bytes:
    splitter = LineSplitter(longest)
    # UTF-16 is told by a stream's beginning, which may be one byte.
    return b"".join([splitter.feed(b"a log\n"), *(splitter.feed(chunk) for chunk in chunks), splitter.end()])
