"""Lives in which an engine changes data of others: whatever ends them, each file is an old or a new one, no row is lost."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from chaos.durability.life import Life
from chaos.durability.scene import Scene
from tests.support.changing import IS_ROOT
from tests.support.datasets import open_to_others
from zen_agents.model.action import OutcomeKind

#: Two have blanks to be trimmed, the third no value: it is to be taken out.
_ROWS: Final = ((1, " a"), (2, "b "), (3, ""))
_MENDED_ROWS: Final = ((1, "a"), (2, "b"))
_TAKEN: Final = 3
_CONTRACT: Final = {"columns": {"id": "integer"}, "expect": [{"column": "v", "not_null": True}]}
_REPAIRS: Final = {"repair": ["trim", "quarantine_rows"], "repair_at_most": "100%"}
_OFTEN: Final = {"every": "1s", "limits": {"memory": "128MiB", "threads": 1}}


def _csv(rows: Sequence[tuple[int, str]]) -> str:
    return "id,v\n" + "".join(f"{id},{value}\n" for id, value in rows)


_OLD, _NEW = _csv(_ROWS), _csv(_MENDED_ROWS)


# -- a file is repaired -----------------------------------------------------------------------------------------------
def _bad_file(scene: Scene) -> None:
    _make(scene, {"data/orders.csv": _OLD}, "taken")


def _file_watched(scene: Scene) -> None:
    source, taken = {"csv": f"{scene.disk}/data/orders.csv"}, f"{scene.disk}/taken"
    _watched(scene, "repair_data", {"source": source, "quarantine": taken, **_REPAIRS})


def _file_whole(scene: Scene) -> bool:
    found = _text(scene.disk / "data" / "orders.csv")
    return found == _OLD or (found == _NEW and _TAKEN in _taken(scene.disk / "taken"))


# -- a table is repaired ----------------------------------------------------------------------------------------------
def _bad_table(scene: Scene) -> None:
    _make(scene, {}, "shop", "rows")
    with contextlib.closing(sqlite3.connect(scene.disk / "shop" / "shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, v TEXT)")
        database.executemany("INSERT INTO orders VALUES (?, nullif(?, ''))", _ROWS)
        database.commit()
    if IS_ROOT:  # a worker changes it, who is never root
        for each in (scene.disk / "shop", scene.disk / "shop" / "shop.db"):
            shutil.chown(each, "nobody")


def _table_watched(scene: Scene) -> None:
    source, taken = {"sqlite": f"{scene.disk}/shop/shop.db", "table": "orders"}, f"{scene.disk}/rows"
    _watched(scene, "repair_data", {"source": source, "quarantine": taken, **_REPAIRS})


def _table_whole(scene: Scene) -> bool:
    with contextlib.closing(sqlite3.connect(scene.disk / "shop" / "shop.db", timeout=10.0)) as database:
        found = tuple(database.execute("SELECT id, coalesce(v, '') FROM orders ORDER BY id"))
    return found == _ROWS or (found == _MENDED_ROWS and _TAKEN in _taken(scene.disk / "rows"))


# -- a file is taken away ---------------------------------------------------------------------------------------------
def _bad_delivery(scene: Scene) -> None:
    _make(scene, {"inbox/a.csv": _NEW, "inbox/b.csv": _OLD})


def _delivery_watched(scene: Scene) -> None:
    source = {"csv": f"{scene.disk}/inbox/*.csv"}
    _watched(scene, "quarantine_file", {"source": source, "on_failure": ["quarantine_file"]})


def _delivery_whole(scene: Scene) -> bool:
    kept = map(_text, (scene.engine.state / "quarantine").glob("*"))
    bad = scene.disk / "inbox" / "b.csv"
    return _text(scene.disk / "inbox" / "a.csv") == _NEW and _OLD in (_text(bad), *kept)


# -- a good file is copied, and the copy put in its place ---------------------------------------------------------------
def _good_file(scene: Scene) -> None:
    _make(scene, {"books/ledger.csv": _NEW})


def _good_file_watched(scene: Scene) -> None:
    source = {"csv": f"{scene.disk}/books/ledger.csv"}
    _watched(scene, "restore_data", {"source": source, "keep_snapshots": True, "repair": ["restore_snapshot"]})


def _copied_and_restored(scene: Scene) -> None:
    """Break the file once there is a copy; where none can be kept there is nothing to restore."""
    scene.start()
    scene.until(lambda: _copies(scene) or _says_why_not(scene), "the copy")
    if _copies(scene):
        (scene.disk / "books" / "ledger.csv").write_text(_OLD, encoding="ascii")
        scene.until(partial(_has_done, scene, "restore_data"), "the restoration")
    scene.stop()


def _copy_whole(scene: Scene) -> bool:
    is_one = _text(scene.disk / "books" / "ledger.csv") in (_OLD, _NEW)
    return is_one and all(_text(each) == _NEW for each in _copies(scene))


def _says_why_not(scene: Scene) -> bool:
    rows = (scene.engine.status() or {"checks": ()})["checks"]
    return any("no copy of it could be kept" in str(row["value"]) for row in rows)


def _copies(scene: Scene) -> list[Path]:
    return [*scene.engine.state.glob("snapshots/data/*.good")]


# -- all of them ------------------------------------------------------------------------------------------------------
def _make(scene: Scene, files: dict[str, str], *folders: str) -> None:
    for name in (*folders, *(each.partition("/")[0] for each in files)):
        (scene.disk / name).mkdir(mode=0o755, exist_ok=True)
    for name, content in files.items():
        (scene.disk / name).write_text(content, encoding="ascii")


def _watched(scene: Scene, action: str, dataset: dict[str, Any]) -> None:
    agent = {"interval": "1s", "datasets": {"data": {**dataset, **_CONTRACT, **_OFTEN}}}
    _open(scene)
    # A worker looks each second until a repair that was cut off is judged.
    allowed = {"paths": [str(scene.disk)], "approval": "auto", "cooldown": "0s", "verify_within": "10s"}
    scene.configure({
        "agents": {"data_validation": agent}, "actions": {"allow": {action: allowed}},
        # After a power cut all three targets are down, which is no storm here.
        "breakers": {"storm": {"share": "100%"}},
    })  # fmt: skip


def _open(scene: Scene) -> None:
    """Let workers read what is there, whatever a power cut has left of its modes."""
    open_to_others(scene.disk)
    for each in scene.disk.rglob("*"):
        if not each.is_relative_to(scene.engine.state):
            each.chmod(each.stat().st_mode | (0o055 if each.is_dir() else 0o044))


def _does(action: str) -> Callable[[Scene], None]:
    def course(scene: Scene) -> None:
        scene.start()
        scene.until(partial(_has_done, scene, action), action)
        scene.stop()

    return course


def _has_done(scene: Scene, action: str) -> bool:
    return (action, OutcomeKind.VERIFIED) in [(row.action, row.kind) for row in scene.actions()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _taken(folder: Path) -> Sequence[int]:
    """Return the numbers of the rows that were taken out."""
    lines = [line for each in sorted(folder.glob("*.quarantined")) for line in _text(each).splitlines()]
    return [int(json.loads(line)["values"]["id"]) for line in lines]


DATA_LIVES = (
    Life("repaired file", _bad_file, _does("repair_data"), _file_watched, _file_whole),
    Life("repaired table", _bad_table, _does("repair_data"), _table_watched, _table_whole, all_seen=False),
    Life("file taken away", _bad_delivery, _does("quarantine_file"), _delivery_watched, _delivery_whole),
    Life("copied and restored", _good_file, _copied_and_restored, _good_file_watched, _copy_whole),
)
