"""Writes a text as its file was written: in its encoding, packed as it was, with the sum of what came out."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from zen_agents.datasets.repairs import UnrepairableError

#: As much as packers usually try.
_LEVEL: Final = 6


class TextSink:
    """A new file; once its block has ended it is durable, and `sha256` tells what is in it."""

    def __init__(self, to: Path, *, packed: str, encoding: str) -> None:
        """Write what is UTF-8 in another encoding ("": as it is), packed by `gzip`, `zstd` or `none`."""
        self._stack = ExitStack()
        self._file = self._stack.enter_context(to.open("xb"))
        self._digest = hashlib.sha256()
        self._out: Any = self._stack.enter_context(_packer(packed, self)) if packed != "none" else None
        self._decoder = codecs.getincrementaldecoder("utf-8")() if encoding else None
        self._encoder = codecs.getincrementalencoder(encoding)() if encoding else None

    @property
    def sha256(self) -> str:
        """Return the sum of what was written, hex."""
        return self._digest.hexdigest()

    def feed(self, text: bytes) -> None:
        """Write a piece of UTF-8; UnrepairableError for what the encoding has no character for."""
        if self._decoder is not None and self._encoder is not None:
            try:
                text = self._encoder.encode(self._decoder.decode(text))
            except UnicodeError as error:
                raise UnrepairableError(f"what is repaired cannot be written as it was: {error}") from error
        (self._out or self).write(text)

    def write(self, content: bytes) -> int:
        """Write what a packer made."""
        self._digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Do nothing: what a packer flushes need not be on the disk."""

    def __enter__(self) -> TextSink:
        return self

    def __exit__(self, *error: Any) -> None:
        with self._stack:
            if self._out is not None:
                self._out.close()
            if error[0] is None:
                self._file.flush()
                os.fsync(self._file.fileno())


def _packer(packed: str, to: Any) -> Any:
    if packed == "gzip":
        return gzip.GzipFile("", "wb", _LEVEL, to, mtime=0)
    try:
        from compression import zstd  # type: ignore[import-not-found]  # noqa: PLC0415 - of Python 3.14
    except ImportError:
        try:
            from backports import zstd  # noqa: PLC0415 - an extra
        except ImportError:
            raise UnrepairableError("it needs zstd to be packed again: pip install 'zen-agents[zstd]'") from None
    return zstd.ZstdFile(to, "wb")
