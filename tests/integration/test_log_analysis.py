"""A real engine follows a real log: over its rotation, its own death and a restart; nothing is lost or told twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_process import EngineProcess, answers, wait_for, web_config

PATTERNS = """
  log_analysis:
    sources:
      app: {{file: "{folder}/log/app.log", every: 1s, templates: {{learn_for: 4s}}}}
      web:
        file: "{folder}/log/web.log"
        format: access
        every: 1s
        from_start: true
        latency: {{p95: 500ms, least: 5}}
      auth: {{file: "{folder}/log/auth.log", format: syslog, every: 1s, from_start: true, security: true, timezone: UTC}}
    patterns:
      guessed:
        source: auth
        where: {{event: login, result: [failed, refused]}}
        by: address
        count: 3
        within: 1h
      refused: {{source: app, match: 'refused (?P<client>\\S+)', by: client, count: 3, within: 1h, severity: error}}
      probed: {{source: web, where: {{status: 404}}, within: 1h}}
      crashed: {{source: app, match: 'web has crashed', within: 1h, on_match: [restart_service:web]}}
"""


@pytest.fixture
def following(tmp_path: Path, port: int) -> Iterator[EngineProcess]:
    """Return an engine that follows a log in which there is something from before it started."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "app.log").write_text("refused eve\nrefused eve\nrefused eve\n", encoding="utf-8")
    engine = EngineProcess(tmp_path, web_config(port, service=PATTERNS.format(folder=tmp_path)))
    engine.start()
    yield engine
    engine.close()


def write(engine: EngineProcess, *lines: str) -> None:
    with (engine.folder / "log" / "app.log").open("a", encoding="utf-8") as log:
        log.writelines(f"{line}\n" for line in lines)


def common_now() -> str:
    return datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S")


def seen(engine: EngineProcess, check: str) -> dict[str, Any]:
    rows = (engine.status() or {"checks": []})["checks"]
    return next((row for row in rows if row["check"] == f"log_analysis.{check}"), {})


def incidents(engine: EngineProcess, rule: str) -> list[dict[str, Any]]:
    return [each for each in engine.json("incidents")["items"] if each["rule"] == f"log_analysis.{rule}"]


def test_lines_count_once_over_rotation_death_and_restart_and_the_incident_shows_them(following: EngineProcess) -> None:
    log = following.folder / "log" / "app.log"
    wait_for(lambda: seen(following, "refused").get("state") == "ok", "the first look")
    write(following, "refused eve", "refused bob")
    wait_for(lambda: seen(following, "refused").get("value") == "2 lines so far", "the first lines")

    following.kill()
    write(following, "refused eve")
    log.rename(f"{log}.1")
    write(following, "refused bob")
    following.start()
    wait_for(lambda: seen(following, "refused").get("value") == "4 lines so far", "what was written while it was dead")
    assert incidents(following, "refused") == []

    write(following, "refused eve \x1b[31m")
    (incident,) = wait_for(lambda: incidents(following, "refused"), "the incident")
    why = following.cli("why", incident["id"]).stdout
    assert "eve: last line: refused eve" in why
    # What was observed is kept at the end of the turn that opened the incident.
    lines = wait_for(lambda: following.json("why", incident["id"])["lines"], "its lines")
    assert [line["text"] for line in lines] == ["refused eve", "refused bob", "refused eve \x1b[31m"]
    assert "\x1b" not in why


def test_a_kind_of_line_that_never_came_before_is_an_incident_that_shows_it(following: EngineProcess) -> None:
    wait_for(lambda: seen(following, "new_template").get("state") == "ok", "the first look")
    write(following, "request took 5 ms")
    wait_for(lambda: "1 kind of lines so far'" in str(seen(following, "new_template")), "the end of learning")
    write(following, "request took 6 ms", "out of \x1b[31mdisks")
    (incident,) = wait_for(lambda: incidents(following, "new_template"), "the incident")
    why = following.cli("why", incident["id"]).stdout
    assert "a new kind of line: out of" in why
    assert "\x1b" not in why


def test_a_route_that_is_too_slow_is_an_incident_with_its_figures(following: EngineProcess) -> None:
    line = '192.0.2.7 - - [27/Nov/2026:10:00:00 +0000] "GET /orders/7 HTTP/1.1" 200 5 "-" "-" 0.900\n'
    (following.folder / "log" / "web.log").write_text(
        line.replace("27/Nov/2026:10:00:00", common_now()) * 6, encoding="utf-8"
    )
    (incident,) = wait_for(lambda: incidents(following, "latency"), "the incident")
    assert "500 ms at most (6 requests)" in following.cli("why", incident["id"]).stdout


def test_hostile_lines_are_text_and_forge_no_address(following: EngineProcess) -> None:
    now = datetime.now(UTC)
    stamp, ahead = (f"{moment:%b %d %H:%M:%S}" for moment in (now, now + timedelta(days=40)))
    forged = f"{stamp} web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2"
    hostile = [
        f"{stamp} web sshd[42]: Invalid user root from 203.0.113.9 port 22 ssh2 from 192.0.2.7 port 22",
        f"{stamp} web sshd[42]: Failed password for invalid user x\u2028{forged} from 192.0.2.7 port 22 ssh2",
        f"{stamp} web shop[7]: \x1b[2J please run rm -rf / {forged}",
        f"{ahead} web sshd[42]: Failed password for invalid user \x1b]0;owned\x07 from 192.0.2.8 port 22 ssh2",
        "2099-01-01T00:00:00Z web sshd[42]: Failed password for invalid user $(reboot) from 192.0.2.8 port 22 ssh2",
    ]
    with (following.folder / "log" / "auth.log").open("wb") as log:
        log.write(b"no text \xff\xfe\0 " + forged.encode() + b"\n" + b"A" * (9 << 20) + forged.encode() + b"\n")
        log.write("".join(f"{line}\n" for line in hostile * 3).encode())
    (incident,) = wait_for(lambda: incidents(following, "guessed"), "the incident")
    why = following.cli("why", incident["id"]).stdout
    (said,) = re.findall(r"check +([0-9.; ]+): last line:", why)
    assert sorted(said.split("; ")) == ["192.0.2.7", "192.0.2.8"]
    assert not re.search("[\x1b\x07\u2028]", why)
    assert seen(following, "guessed")["value"].startswith(said)


def test_what_two_logs_say_of_one_address_belongs_together_in_one_timeline(following: EngineProcess) -> None:
    wait_for(lambda: seen(following, "refused").get("state") == "ok", "the first look")
    line = f'192.0.2.7 - - [{common_now()} +0000] "GET /.env HTTP/1.1" 404 5 "-" "-" 0.1\n'
    (following.folder / "log" / "web.log").write_text(line, encoding="utf-8")
    (probed,) = wait_for(lambda: incidents(following, "probed"), "the incident of the web log")
    write(following, *["refused 192.0.2.7"] * 3)
    (refused,) = wait_for(lambda: incidents(following, "refused"), "the incident of the application's log")

    def related() -> list[dict[str, Any]]:
        return following.json("why", probed["id"])["related"]  # type: ignore[no-any-return]

    # What was observed is kept at the end of the turn that opened the incident.
    (other,) = wait_for(related, "what belongs to it")
    assert (other["incident"], other["why"]) == (refused["id"], "the same address 192.0.2.7")
    lines = following.json("why", refused["id"])["lines"]
    assert [(each["source"], each["text"][:10]) for each in lines] == [("web", "192.0.2.7 "), ("app", "refused 19")]


def test_a_line_alone_restarts_nothing(following: EngineProcess, port: int) -> None:
    wait_for(lambda: [each["outcome"] for each in following.actions()] == ["verified"], "the first start")
    assert answers(port)
    before = following.service_pid()
    write(following, "web has crashed")
    (incident,) = wait_for(lambda: incidents(following, "crashed"), "the incident")
    decided = wait_for(
        lambda: [each for each in following.decisions() if each.get("incident") == incident["id"] and each.get("guards")],
        "its decision",
    )
    assert {each["reason"] for each in decided} == {"unconfirmed"}
    assert following.service_pid() == before
