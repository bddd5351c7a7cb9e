"""Short lives of a real engine that together pass everything it makes durable; each may end early by a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from chaos.durability.data_lives import DATA_LIVES
from chaos.durability.life import Life, nothing
from chaos.durability.scene import Crashed, Scene
from tests.support.engine_process import free_port
from zen_agents.adapters.action_log import MOST_BYTES
from zen_agents.model.action import OutcomeKind

#: A number that no process has: Linux gives none above 2^22.
_NOBODY = 2**22


def _lived_once(scene: Scene) -> None:
    """Let an engine repair once on this state, unseen."""
    seen, scene.environment = scene.environment, {}
    scene.start()
    _repaired(scene)
    scene.stop()
    scene.environment = seen


def _repaired(scene: Scene, times: int = 1) -> None:
    scene.until(lambda: [row.kind for row in scene.actions()].count(OutcomeKind.VERIFIED) >= times, "the repair")


def _first_repair(scene: Scene) -> None:
    """Start on nothing, repair the service, end in peace."""
    scene.start()
    _repaired(scene)
    scene.stop()


def _next_repair(scene: Scene) -> None:
    """Start on a state that is there, and repair again."""
    scene.start()
    pid = scene.engine.service_pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    _repaired(scene, times=2)
    scene.stop()


def _by_hand(scene: Scene) -> None:
    """Run a command for a person, and move a pidfile away for another."""
    scene.start()
    _repaired(scene)
    scene.ask("act", action="restart_service", target="web", reason="a drill", wait=True)
    scene.ask("act", action="remove_stale_pidfile", target="app", reason="a drill", wait=False)
    scene.until(lambda: not scene.pidfile.exists(), "the removal")
    scene.stop()


def _stale_pidfile(scene: Scene) -> None:
    scene.pidfile.write_text(f"{_NOBODY}\n", encoding="ascii")


def _emergency(scene: Scene) -> None:
    """Be stopped by a person at the command line, and let go on."""
    scene.start()
    _repaired(scene)
    _command(scene, "stop", "--emergency", "--reason", "a drill")
    scene.ask("resume_emergency", confirm=scene.status()["host"])
    scene.stop()


def _command(scene: Scene, *arguments: str) -> None:
    done = scene.engine.cli(*arguments, **scene.environment)
    if done.returncode == -signal.SIGKILL:
        raise Crashed


def _locked(scene: Scene) -> None:
    """Tell people while somebody else holds the database, and move what was told there afterwards."""
    scene.start()
    with _held(scene.engine.state / "state.db"):
        pid = scene.engine.service_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        scene.until(lambda: (scene.engine.status() or {}).get("abnormal"), "safe mode")
        spill = scene.engine.state / "outbox-spill.jsonl"
        scene.until(lambda: spill.exists() or scene.failing, "the message")
    scene.ask("safe_mode", on=False, reason="a drill")
    scene.until(lambda: not spill.exists() or scene.failing, "the move to the database")
    scene.stop()


@contextlib.contextmanager
def _held(database: Path) -> Iterator[None]:
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def _with_mail(scene: Scene) -> None:
    """Let people be told by a mail server that nobody listens at: what is told waits."""
    smtp = {"host": "127.0.0.1", "port": free_port(), "starttls": "never"}
    scene.configure({"alerts": {"group_wait": "0s", "email": {"to": ["ops@example.com"], "smtp": smtp}}})


def _long_log(scene: Scene) -> None:
    _lived_once(scene)
    os.truncate(scene.engine.state / "actions.log", MOST_BYTES)


LIVES = (
    Life("first repair", nothing, _first_repair),
    Life("next repair", _lived_once, _next_repair),
    Life("by hand", _stale_pidfile, _by_hand),
    Life("emergency stop", nothing, _emergency),
    Life("locked database", _lived_once, _locked, _with_mail),
    Life("long log", _long_log, _next_repair),
    *DATA_LIVES,
)
