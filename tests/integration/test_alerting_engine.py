"""Telling people, from a real engine to real servers: once, also over a kill, without ever being held up."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, answers, free_port, start_time, wait_for, web_config
from tests.support.telling import Events, MailBox, event_server, mail_server, secret

pytestmark = pytest.mark.slow

EngineWith = Callable[[str], EngineProcess]


def alerts(folder: Path, *, smtp_port: int, events: Events | None = None) -> str:
    """Return who is told: mail, and pages if there is a server for them."""
    lines = [
        "alerts:",
        "  group_wait: 0s",
        "  email:",
        "    to: [ops@example.com]",
        f"    smtp: {{host: 127.0.0.1, port: {smtp_port}, starttls: never, timeout: 2s}}",
    ]
    if events is not None:
        key, beat = secret(folder / "routing-key", "R" * 32), secret(folder / "heartbeat", f"{events.url}/beat")
        lines += [
            f"  pagerduty: {{enabled: true, url: '{events.url}', routing_key_file: {key}}}",
            f"  heartbeat: {{url_file: {beat}, every: 1s}}",
        ]
    return "\n".join(lines)


@contextmanager
def occupied() -> Iterator[tuple[int, socket.socket]]:
    """Hold a port, so that no service can be started on it until the socket is closed."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1], holder


def cannot_start(port: int) -> str:
    """Return further lines of a service that is tried once and known to be down soon."""
    del port
    return "        attempts: 1\n        verify_within: 2s\n        settle: 0s"


def about(box: MailBox, word: str) -> list[str]:
    """Return the subjects of mails that have a word in them."""
    return [str(mail["Subject"]) for mail in box.mails if word in str(mail["Subject"])]


def two_more_beats(events: Events) -> None:
    """Wait until the engine has looked after itself twice more: whatever it had to say it has begun to say."""
    before = _beats(events)
    wait_for(lambda: _beats(events) >= before + 2, "two heartbeats")


def _beats(events: Events) -> int:
    return sum(path == "/beat" for path, _ in events.requests)


def test_people_are_told_once_and_told_the_end_by_the_next_engine(engine_with: EngineWith, tmp_path: Path) -> None:
    with mail_server() as box, event_server() as events, occupied() as (port, holder):
        extra = alerts(tmp_path, smtp_port=box.port, events=events)
        engine = engine_with(web_config(port, service=cannot_start(port), extra=extra)).start()
        wait_for(lambda: events.actions() == ["trigger"] and box.mails, "the page and the mail")
        page = events.bodies()[0]
        assert page["routing_key"] == "R" * 32
        assert page["dedup_key"].endswith("system_health.web|service:web")
        assert page["payload"]["severity"] == "critical"
        two_more_beats(events)

        engine.kill()
        engine.start()
        two_more_beats(events)
        assert events.actions() == ["trigger"]
        assert len(about(box, "web")) == 1

        holder.close()
        done = engine.cli("act", "restart_service", "web", "--reason", "the port is free again", "--yes")
        assert done.returncode == 0, done.stderr + done.stdout
        wait_for(lambda: events.actions() == ["trigger", "resolve"] and len(about(box, "web")) == 2, "the end")
        two_more_beats(events)
        assert events.actions() == ["trigger", "resolve"]
        assert {body["dedup_key"] for body in events.bodies()} == {page["dedup_key"]}
        first, second = (mail for mail in box.mails if "web" in str(mail["Subject"]))
        assert second["Subject"] == f"Re: {first['Subject']}"
        assert second["References"] == first["References"]
        # The acts themselves are change events: no page, one each.
        assert len(events.bodies("/v2/change/enqueue")) == len(engine.actions())


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """A mail server that takes a connection and never says a word."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener


def test_a_mail_server_that_hangs_holds_nothing_up_and_gets_the_mail_later(engine_with: EngineWith, tmp_path: Path) -> None:
    with silent_server() as listener:
        port, mail_port = free_port(), listener.getsockname()[1]
        config = web_config(port, extra=alerts(tmp_path, smtp_port=mail_port)).replace("timeout: 2s", "timeout: 20s")
        engine = engine_with(config).start()
        wait_for(lambda: answers(port), "the service")
        wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
        # Not a critical matter, but one that is told: the engine itself is stopped from acting, and allowed again.
        engine.cli("safe-mode", "on", "--reason", "a drill")
        listener.settimeout(60)
        hanging, _ = listener.accept()
        with hanging:
            engine.cli("safe-mode", "off", "--reason", "the drill is over")
            told = engine.status()["pages_undelivered"]
            assert not any("email" in line for line in told), "it answered only when the server that hangs was given up"
            os.kill(wait_for(engine.service_pid), signal.SIGKILL)
            wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"] * 2, "a repair meanwhile")
        listener.close()
        wait_for(lambda: any("email" in line for line in engine.status()["pages_undelivered"]), "that it says so")
        with mail_server(port=mail_port) as box:
            wait_for(lambda: about(box, "safe mode"), "the mail", seconds=180)
            wait_for(lambda: not engine.status()["pages_undelivered"], "that it says so no more")


def test_a_state_that_cannot_be_written_is_told_all_the_same(engine_with: EngineWith, tmp_path: Path) -> None:
    mail_port = free_port()
    with event_server() as events:
        port = free_port()
        engine = engine_with(web_config(port, extra=alerts(tmp_path, smtp_port=mail_port, events=events))).start()
        wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
        holder = sqlite3.connect(engine.state / "state.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            os.kill(wait_for(engine.service_pid), signal.SIGKILL)
            # It stays there until somebody takes the mail.
            spill = engine.state / "outbox-spill.jsonl"
            wait_for(lambda: spill.exists() and "safe mode" in spill.read_text(), "the message beside the state")
            with mail_server(port=mail_port) as box:
                wait_for(lambda: about(box, "safe mode"), "the mail", seconds=180)
                holder.execute("ROLLBACK")
                two_more_beats(events)
                engine.kill()
                engine.start()
                two_more_beats(events)
                assert len(about(box, "safe mode")) == 1
                assert "SAFE MODE" in " ".join(engine.status()["abnormal"])
        finally:
            holder.close()


def test_emergency_stop_and_safe_mode_are_told_once_and_so_is_their_end(engine_with: EngineWith, tmp_path: Path) -> None:
    with mail_server() as box, event_server() as events:
        engine = engine_with(web_config(free_port(), extra=alerts(tmp_path, smtp_port=box.port, events=events))).start()
        engine.cli("safe-mode", "on", "--reason", "a drill")
        engine.cli("stop", "--emergency", "--reason", "a drill")
        wait_for(lambda: about(box, "safe mode") and about(box, "emergency stop"), "the mails")
        # Killed between sending and noting it, it would be sent once more: at least once, never less.
        two_more_beats(events)
        engine.kill()
        engine.start()
        two_more_beats(events)
        assert (len(about(box, "safe mode")), len(about(box, "emergency stop"))) == (1, 1)

        assert engine.cli("resume", "--from-emergency", "--confirm", engine.status()["host"]).returncode == 0
        assert engine.cli("safe-mode", "off", "--reason", "the drill is over").returncode == 0
        wait_for(lambda: (len(about(box, "safe mode")), len(about(box, "emergency stop"))) == (2, 2), "their ends")
        pid = wait_for(engine.service_pid, "the repair after both")
        assert start_time(pid) is not None
