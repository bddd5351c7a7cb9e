"""SQLite on files that are seen: each call that changes one is noted, as `disk_calls` does it for a whole process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import apsw

from chaos.durability.disk_calls import Call


class SeenSqlite:
    """Opens databases, and notes in `calls` what becomes of their files."""

    def __init__(self, name: str) -> None:
        """Register a file system of this name, which must be new."""
        self._files = _Files(name)

    @property
    def calls(self) -> list[Call]:
        """What was done so far, in its order."""
        return self._files.calls

    def connect(self, path: Path, **_: Any) -> sqlite3.Connection:
        """Open a database as `sqlite3.connect` does, as far as the store asks of a connection."""
        return cast("sqlite3.Connection", _Connection(path, self._files.name))


class _Files(apsw.VFS):
    """SQLite's own file system, noting each call that changes a file or a name."""

    def __init__(self, name: str) -> None:
        self.calls: list[Call] = []
        self.name = name
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - as SQLite names it
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        new = path is not None and not Path(path).exists()
        file = _File(name, flags, self.calls, path)
        if new:
            self.calls.append(Call("create", path, "", file.inode, 0, b""))
            file.is_new = True
        return file

    def xDelete(self, name: str, sync_directory: bool) -> None:  # noqa: N802
        super().xDelete(name, sync_directory)
        self.calls.append(Call("unlink", name, "", 0, 0, b""))
        if sync_directory:
            self.calls.append(_sync_of(Path(name).parent))


class _File(apsw.VFSFile):
    """One open file."""

    def __init__(self, name: Any, flags: list[int], calls: list[Call], path: str | None) -> None:
        super().__init__("", name, flags)
        self._calls, self._path = calls, path or ""
        self.inode = Path(path).stat().st_ino if path else 0
        #: SQLite makes a new file's name durable together with its first content.
        self.is_new = False

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._note("write", offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._note("truncate", size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._note("sync")
        if self.is_new:
            self._calls.append(_sync_of(Path(self._path).parent))
            self.is_new = False

    def _note(self, call: str, offset: int = 0, data: bytes = b"") -> None:
        if self._path:
            self._calls.append(Call(call, self._path, "", self.inode, offset, data))


def _sync_of(directory: Path) -> Call:
    return Call("sync", str(directory), "", directory.stat().st_ino, 0, b"")


class _Connection:
    """An apsw connection that answers as the standard library's does, as far as the store asks."""

    def __init__(self, path: Path, vfs: str) -> None:
        self._connection = apsw.Connection(str(path), vfs=vfs)
        self.close = self._connection.close

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def cursor(self) -> _Connection:
        """Return itself: a cursor of the store only runs statements."""
        return self

    def execute(self, statement: str, params: Any = ()) -> _Rows:
        return _Rows(self._connection, self._connection.execute(statement, params or None))

    def executemany(self, statement: str, rows: Any) -> None:
        self._connection.executemany(statement, rows)

    def executescript(self, statements: str) -> None:
        for _ in self._connection.execute(statements):
            pass


class _Rows:
    """What a statement answers."""

    def __init__(self, connection: apsw.Connection, cursor: apsw.Cursor) -> None:
        self._cursor = cursor
        self.rowcount = connection.changes()

    def fetchall(self) -> list[Any]:
        return list(self._cursor)

    def fetchone(self) -> Any:
        return next(self._cursor, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)
