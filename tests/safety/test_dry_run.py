"""A dry run changes nothing: no child, no signal, no file outside of its own state. Python's audit hooks saw it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine_process import REPOSITORY, free_port
from tests.support.own_config import ACCOUNT, own_config

HARNESS = REPOSITORY / "tests" / "support" / "audited_run.py"


@pytest.fixture
def broken_host(tmp_path: Path) -> tuple[Path, Path]:
    """Return a configuration with one thing to do for each kind of action, and the directory it is about."""
    there = tmp_path / "there"
    (there / "cache").mkdir(parents=True)
    (there / "cache" / "a").write_bytes(b"x" * 5000)
    (there / "app.log").write_bytes(b"x" * 5000)
    (there / "key").write_text("secret")
    (there / "key").chmod(0o666)
    (there / "web.pid").write_text("999999\n")
    mine = {"owner": str(os.geteuid()), "group": str(os.getegid())}
    health = {
        "sample_interval": "1s",
        "services": {
            "web": {"command": {"start": ["/bin/true"], "user": ACCOUNT}, "pidfile": str(there / "web.pid"),
                    "check": {"tcp": f"127.0.0.1:{free_port()}"}, "fail_after": 1, "every": "1s"},
        },
        "paths": {
            "key": {"path": str(there / "key"), "mode": "0600", **mine},
            "new": {"path": str(there / "new"), "mode": "0750", "kind": "directory", "create": True, **mine},
        },
        "logs": {"app": {"path": str(there / "app.log"), "rotate_at": "1KiB"}},
        "caches": {"c": {"path": str(there / "cache"), "above": "1KiB", "down_to": "0B"}},
    }  # fmt: skip
    allowed = [
        "restart_service",
        "remove_stale_pidfile",
        "create_directory",
        "restore_permissions",
        "rotate_logs",
        "clear_cache",
    ]
    config = tmp_path / "config.yaml"
    config.write_text(own_config(health, allowed, breakers={"storm": {"targets": 100, "share": "100%"}}))
    config.chmod(0o600)
    return config, there


def _seen(there: Path) -> dict[str, tuple[int, int, float]]:
    return {str(path): (path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime) for path in there.rglob("*")}


@pytest.mark.parametrize(
    "command", [["once", "--dry-run", "--yes", "--timeout", "20s"], ["plan"]], ids=["once --dry-run", "plan"]
)
def test_nothing_is_spawned_signalled_or_written_outside_the_state(
    broken_host: tuple[Path, Path], tmp_path: Path, command: list[str]
) -> None:
    config, there = broken_host
    record, state, before = tmp_path / "record", tmp_path / "state", _seen(there)
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(record), *command, "-c", str(config), "--state-dir", str(state), "-o", "json"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.stdout, done.stderr
    assert json.loads(done.stdout)
    assert _seen(there) == before
    changes = [line.split("\t") for line in record.read_text().splitlines()]
    # Its own state, and the pointer by which the stop script finds that.
    own = (str(state), "/run/zen-agents", "/dev/null", "/dev/tty", ":memory:", "file:")
    outside = [(what, path) for what, path in changes if not path.strip("'\"b").startswith(own)]
    assert outside == []
    if command == ["plan"]:
        planned = done.stdout
    else:
        look = [sys.executable, "-m", "zen_agents", "decisions", "--state-dir", str(state), "-o", "json"]
        decided = subprocess.run(look, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
        judged = [row for row in json.loads(decided.stdout)["items"] if row.get("guards")]
        assert {row["reason"] for row in judged} == {"dry_run"}
        planned = json.dumps(judged)
    for action in ("restart_service", "create_directory", "restore_permissions", "rotate_logs", "clear_cache"):
        assert action in planned
