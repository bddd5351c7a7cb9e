"""What goes wrong inside a host, deed by deed, and the moment that is noted for it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from chaos.host import REPOSITORY


def strike(*deeds: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-S", str(REPOSITORY / "chaos" / "inside" / "strike.py"), json.dumps(deeds)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_deeds_on_files_are_done_in_their_order_after_the_moment_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("kept\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "gone").mkdir()
    before = time.monotonic()
    done = strike(
        ("append", str(tmp_path / "log"), "a line", "3"),
        ("fill", str(tmp_path / "grown"), "8192"),
        ("rename", str(tmp_path / "folder"), str(tmp_path / "moved")),
        ("rmdir", str(tmp_path / "gone")),
        ("chmod", "0600", str(tmp_path / "log")),
        ("unlink", str(tmp_path / "grown")),
    )
    assert before <= float(done.stdout) <= time.monotonic()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "kept\na line\na line\na line\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "moved"]


def test_what_is_filled_takes_its_room_and_keeps_what_it_held(tmp_path: Path) -> None:
    grown = tmp_path / "grown"
    grown.write_bytes(b"kept")
    strike(("fill", str(grown), "65536")).check_returncode()
    assert (grown.stat().st_size, grown.stat().st_blocks * 512 >= 65536) == (65536, True)
    assert grown.read_bytes()[:4] == b"kept"


def test_files_are_made_and_take_their_room_at_once(tmp_path: Path) -> None:
    strike(("files", str(tmp_path / "a/b"), "3", "4096")).check_returncode()
    assert [(file.name, file.stat().st_size) for file in sorted((tmp_path / "a/b").iterdir())] == [
        ("0", 4096), ("1", 4096), ("2", 4096),
    ]  # fmt: skip


def test_a_deed_that_fails_or_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    assert strike(("rmdir", str(tmp_path / "absent"))).returncode != 0
    assert "no deed" in strike(("pray",)).stderr


def test_what_ended_with_another_of_them_is_dead_as_well_and_what_was_never_there_is_told() -> None:
    child = subprocess.Popen(["sleep", "60"])
    reaped = threading.Thread(target=child.wait)
    reaped.start()
    gone = f"kill -9 {child.pid}; while kill -0 {child.pid}; do :; done"
    strike(("run", "sh", "-c", gone), ("kill", "KILL", str(child.pid))).check_returncode()
    reaped.join()
    assert "ProcessLookupError" in strike(("kill", "KILL", str(child.pid))).stderr
