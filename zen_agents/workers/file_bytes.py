"""How a text file is written as a whole: packed, in which characters, with which line ends; and changing that, streamed."""

from __future__ import annotations

import codecs
import gzip
import io
from pathlib import Path
from typing import IO, Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.repairs import UnrepairableError

_MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_CHUNK: Final = 1 << 20
_UTF8: Final = frozenset({"utf-8", "utf-8-sig"})


@dataclass(frozen=True, slots=True)
class Outline:
    """What the beginning of a file tells."""

    #: `none`, `gzip`, `zstd`.
    packed: str
    has_mark: bool


def outline(path: str, packed: str) -> Outline:
    """Look at the first bytes; `packed` is what the contract says, "" for what they say themselves."""
    with Path(path).open("rb") as stream:
        begin = stream.read(4)
    how = packed or next((found for magic, found in _MAGIC.items() if begin.startswith(magic)), "none")
    if how == "zstd":
        return Outline(how, has_mark=False)
    with _unpacked(path, how) as content:
        return Outline(how, content.read(3) == codecs.BOM_UTF8)


def is_utf8(encoding: str) -> bool:
    """Tell whether a contract's word for an encoding means UTF-8; UnrepairableError for one that nobody knows."""
    try:
        return not encoding or codecs.lookup(encoding).name in _UTF8
    except LookupError:
        raise UnrepairableError(f"nobody knows the encoding {encoding!r}; correct it in the contract") from None


def to_plain(path: str, to: Path, *, packed: str, encoding: str, same_ends: bool) -> int:
    """Write a file unpacked, as UTF-8, and if wanted with LF at the end of each line; return how many were others."""
    if packed == "zstd":
        raise UnrepairableError("how a file that zstd packed is written cannot be changed; unpack it first")
    count, rest = 0, ""
    try:
        with _unpacked(path, packed) as content, to.open("w", encoding="utf-8", newline="") as out:
            text = io.TextIOWrapper(content, encoding or "utf-8", newline="")
            while piece := text.read(_CHUNK):
                whole = rest + piece
                rest = "\r" if same_ends and whole.endswith("\r") else ""
                whole = whole[: len(whole) - len(rest)]
                if same_ends:
                    count += whole.count("\r")
                    whole = whole.replace("\r\n", "\n").replace("\r", "\n")
                out.write(whole)
            out.write("\n" if rest else "")
    except (UnicodeDecodeError, EOFError, OSError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise UnrepairableError(f"it cannot be read as {encoding or 'UTF-8'}: {error}") from error
    return count + len(rest)


def _unpacked(path: str, packed: str) -> IO[bytes]:
    return gzip.open(path) if packed == "gzip" else Path(path).open("rb")  # type: ignore[return-value]
