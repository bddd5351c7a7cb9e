"""A file of text as a whole: read as plain UTF-8, and written again as it was packed, in its characters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zen_agents.datasets.contract import Contract, RepairKind
from zen_agents.datasets.repairs import UnrepairableError
from zen_agents.datasets.written import HEAD_BYTES, FaultError
from zen_agents.workers.file_bytes import is_utf8, outline, to_plain
from zen_agents.workers.log_stream import LogStreamError, opened, unpacked
from zen_agents.workers.repair_reading import Written
from zen_agents.workers.splicing import Splice
from zen_agents.workers.text_sink import TextSink


class TextFile:
    """What text files share: packing, characters and line ends are kept, unless a repair says otherwise."""

    def __init__(self, contract: Contract, path: str, spill: Path) -> None:
        self._contract, self._options, self._spill = contract, contract.source.options, spill
        kinds = {each.kind for each in contract.repairs}
        self._outline = outline(path, self._options.compression)
        is_foreign = not is_utf8(self._options.encoding)
        wants_ends, wants_utf8 = RepairKind.NORMALISE_LINE_ENDINGS in kinds, RepairKind.NORMALISE_ENCODING in kinds
        said = []
        self.path, self.packed = path, self._outline.packed
        self._drops_mark = self._outline.has_mark and wants_utf8
        if is_foreign or wants_ends:
            self.path, self.packed = str(spill / "plain"), "none"
            changed = to_plain(
                path, Path(self.path), packed=self._outline.packed, encoding=self._options.encoding, same_ends=wants_ends
            )
            said += ["line ends"] if changed else []
        self._encoding = "" if wants_utf8 or not is_foreign else self._options.encoding
        if wants_utf8 and (is_foreign or self._outline.has_mark):
            said.append("byte-order mark" if not is_foreign else f"{self._options.encoding} to UTF-8")
        self.rewritten = tuple(said)

    def pieces(self) -> Iterator[bytes]:
        """Yield the text as UTF-8, unpacked; raises UnrepairableError."""
        try:
            with opened(self.path) as stream:
                yield from unpacked(stream) if self.packed != "none" else iter(lambda: stream.read(HEAD_BYTES), b"")
        except LogStreamError as error:
            raise UnrepairableError(str(error)) from error

    def spliced(self, to: Path, splice: Splice, *, header: bytes | None, has_header: bool) -> Written:
        """Write it again with what a splice changes; raises UnrepairableError."""
        pieces = splice.pieces(self.pieces(), header=header, has_header=has_header, drops_mark=self._drops_mark)
        try:
            with TextSink(to, packed=self._outline.packed, encoding=self._encoding) as sink:
                for piece in pieces:
                    sink.feed(piece)
        except FaultError as error:
            raise UnrepairableError(str(error)) from error
        rows = splice.rows + splice.lines
        return Written(rows, rows - splice.taken - splice.dropped, splice.dropped, sink.sha256)

    def read_back(self, path: Path) -> str:
        """Return a written file as DuckDB can read it."""
        if not self._encoding:
            return str(path)
        plain = self._spill / "read-back"
        to_plain(str(path), plain, packed=self._outline.packed, encoding=self._encoding, same_ends=False)
        return str(plain)

    @property
    def packed_back(self) -> str:
        """Return how what `read_back` names is packed."""
        return "none" if self._encoding else self._outline.packed
