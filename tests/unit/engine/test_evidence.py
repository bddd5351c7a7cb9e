"""What was wrong is read before it is repaired, once, in bounds, and costs the repair next to nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import ACCOUNT, own_config
from tests.support.state import an_incident, an_intent
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.host_evidence import MOST_FILES, MOST_LINES, HostEvidence
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import ManualClock, SystemClock
from zen_agents.engine.aside import Aside
from zen_agents.engine.evidence import MOST_A_MINUTE, Evidence, evidence_in
from zen_agents.engine.journal import Journal
from zen_agents.errors import HostError
from zen_agents.model.action import Intent, Resource, ResourceKind
from zen_agents.model.redaction import Redaction
from zen_agents.ports.evidence import Fragile, Records, Surroundings
from zen_agents.ports.store import WATCHED_PATHS

NOW = SystemClock().now().wall


class Source:
    """Evidence without a host; it may hang, fail or be slow."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.read_records: list[str | None] = []
        self.read_processes = 0
        self.trouble: Exception | None = None

    def fragile(self, plan: Any) -> Fragile:
        self.asked.append(plan.request.incident)
        if self.trouble:
            raise self.trouble
        return Fragile(["token=abc said"], "of web", ["/srv/a.log"], "9 socket", ["7 web: stopped by a signal"])

    def surroundings(self, plan: Any, watched: Any, at: Any) -> Surroundings:
        if self.trouble:
            raise self.trouble
        changed = [f"{at.isoformat()}  file {path} token=abc" for path in watched]
        return Surroundings(changed, "load 0.4")

    def processes(self) -> Sequence[str]:
        self.read_processes += 1
        if self.trouble:
            raise self.trouble
        return ["1 init S 4 MiB 2 s CPU"]

    def records(self, plan: Any, at: Any) -> Records:
        self.read_records.append(plan.request.incident)
        if self.trouble:
            raise self.trouble
        return Records(["not this"], "elsewhere", [f"{(at - timedelta(hours=1)).isoformat()}  package upgrade openssl"])


class Taking:
    def __init__(self, folder: Path) -> None:
        self.source, self.clock = Source(), ManualClock(SystemClock().now().wall, 1000.0)
        self.store = SqliteStore(folder / "state.db")
        self.journal = Journal(self.store, ActionLogFile(folder / "actions.log"), Redaction([r"token=\S+"]))
        self.aside = Aside()
        self.evidence = Evidence(self.source, store=self.store, journal=self.journal, clock=self.clock, aside=self.aside)

    def intent(self, incident: str) -> Intent:
        intent = an_intent(f"act-{incident[4:]}", self.clock.now())
        return replace(intent, plan=replace(intent.plan, request=replace(intent.plan.request, incident=incident)))


@pytest.fixture
def taking(tmp_path: Path) -> Any:
    taking = Taking(tmp_path)
    yield taking
    taking.aside.close()
    taking.store.close()


async def test_it_is_redacted_in_the_ledger_and_outlives_the_engine(taking: Taking) -> None:
    taking.store.put(WATCHED_PATHS, '["/etc/web.conf"]')
    taking.evidence.before(taking.intent("inc-aaaa11"))
    await taking.evidence.settle()
    incident = replace(an_incident("inc-aaaa11", taking.clock.now()), attempts=1)
    facts = {
        "processes": ["1 init S 4 MiB 2 s CPU"], "open_files": ["/srv/a.log"], "log": ["[redacted] said"],
        "descriptors": "9 socket", "stacks": ["7 web: stopped by a signal"],
        "log_source": "of web", "host": "load 0.4",
        "related": [
            f"{taking.clock.now().wall.isoformat()}  file /etc/web.conf [redacted]",
            f"{(taking.clock.now().wall - timedelta(hours=1)).isoformat()}  package upgrade openssl",
        ],
    }  # fmt: skip
    assert taking.evidence.of(incident) == facts
    taking.store.commit()
    assert evidence_in(taking.store, incident) == facts
    later = Evidence(None, store=taking.store, journal=taking.journal, clock=taking.clock, aside=taking.aside)
    assert later.of(incident) == facts


async def test_a_storm_takes_a_few_and_an_incident_one(taking: Taking) -> None:
    for number in range(100):
        for _ in range(2):
            taking.evidence.before(taking.intent(f"inc-aaaa{number}"))
    await taking.evidence.settle()
    assert taking.source.asked == [f"inc-aaaa{number}" for number in range(MOST_A_MINUTE)]
    taking.clock.advance(61)
    taking.evidence.before(taking.intent("inc-bbbb11"))
    await taking.evidence.settle()
    assert taking.source.asked[-1] == "inc-bbbb11"


async def test_what_stays_as_it_was_written_is_read_when_the_repair_has_ended_or_has_had_its_time(
    taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.engine.evidence.UNDISTURBED_SECONDS", 1e9)
    intent = taking.intent("inc-aaaa11")
    taking.evidence.before(intent)
    while not taking.evidence._aside._idle:  # noqa: ASYNC110 - until what may soon be otherwise has been read
        await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    assert taking.source.read_records == []
    taking.evidence.after(intent)
    await taking.evidence.settle()
    assert taking.source.read_records == ["inc-aaaa11"]
    monkeypatch.setattr("zen_agents.engine.evidence.UNDISTURBED_SECONDS", 0.0)
    taking.evidence.before(taking.intent("inc-bbbb11"))
    await taking.evidence.settle()
    assert taking.source.read_records == ["inc-aaaa11", "inc-bbbb11"], "although it goes on"


@pytest.mark.parametrize(("kind", "before_it_ends"), [(ResourceKind.UNIT, 1), (ResourceKind.PATH, 0)])
async def test_processes_are_read_beside_a_repair_that_may_end_some_and_after_one_of_files(
    taking: Taking, monkeypatch: pytest.MonkeyPatch, kind: ResourceKind, before_it_ends: int
) -> None:
    monkeypatch.setattr("zen_agents.engine.evidence.UNDISTURBED_SECONDS", 1e9)
    intent = taking.intent("inc-aaaa11")
    intent = replace(intent, plan=replace(intent.plan, touches=(Resource(kind, "/srv"),)))
    taking.evidence.before(intent)
    while not taking.evidence._ended[intent.id]._waiters:  # noqa: ASYNC110 - it waits for the end
        await asyncio.sleep(0.001)
    assert taking.source.read_processes == before_it_ends
    taking.evidence.after(intent)
    await taking.evidence.settle()
    assert taking.source.read_processes == 1


async def test_what_only_looks_like_a_process_is_none(tmp_path: Path) -> None:
    """A directory's fingerprint is two numbers as well."""
    plan = replace(an_intent("act-aaaa11", SystemClock().now()).plan, fingerprint=f"{os.getpid()}:1")
    assert HostEvidence(LinuxHost(tmp_path), lambda _: "").fragile(plan) == Fragile([], "", (), "", ())


@pytest.mark.parametrize("trouble", [HostError("no"), RuntimeError("a fault")])
async def test_what_cannot_be_read_is_missing_and_nothing_else(taking: Taking, trouble: Exception) -> None:
    taking.source.trouble = trouble
    taking.evidence.before(taking.intent("inc-aaaa11"))
    await taking.evidence.settle()
    assert taking.evidence.of(an_incident("inc-aaaa11", taking.clock.now())) == {}


async def test_a_process_s_files_its_last_words_and_the_largest_are_named_and_bounded(tmp_path: Path) -> None:
    names = [tmp_path / f"file-{number}" for number in range(MOST_FILES + 9)]
    script = f"""
import os, sys
kept = [open(name, "w") for name in {[str(name) for name in names]!r}]
print("open", flush=True)
sys.stdin.read()
"""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"SECRET_TOKEN": "S3cr3t"},
    )  # fmt: skip
    try:
        assert child.stdout is not None
        await child.stdout.readline()
        host = LinuxHost(tmp_path)
        process = host.look().process(child.pid)
        assert process is not None
        said = "".join(f"line {number} {'x' * 900}\n" for number in range(50))
        evidence = HostEvidence(host, lambda name: said if name == "web" else "")
        intent = an_intent("act-aaaa11", SystemClock().now())
        touches = (Resource(ResourceKind.PROCESS, process.fingerprint),)
        plan = replace(intent.plan, fingerprint=process.fingerprint, touches=touches)
        fragile, processes = evidence.fragile(plan), evidence.processes()
    finally:
        child.kill()
        await child.wait()
    assert plan.request.target == "service:web"
    assert len(fragile.open_files) == MOST_FILES
    assert set(fragile.open_files) & {str(name) for name in names}
    assert len(fragile.log) <= MOST_LINES
    assert fragile.log[-1].startswith("line 49 ")
    assert max(map(len, fragile.log)) <= 300
    assert 5 <= len(processes) <= 10
    assert "S3cr3t" not in str((fragile, processes))


async def test_of_a_unit_it_is_the_main_process_that_is_looked_at(tmp_path: Path) -> None:
    process = LinuxHost(tmp_path).look().process(os.getpid())
    assert process is not None
    plan = replace(
        an_intent("act-aaaa11", SystemClock().now()).plan, fingerprint="web.service:1:active:2",
        detail={"process": process.fingerprint},
    )  # fmt: skip
    fragile = HostEvidence(LinuxHost(tmp_path), lambda _: "").fragile(plan)
    assert any(line.startswith(f"{os.getpid()} ") for line in fragile.stacks)
    assert " file" in fragile.descriptors or " pipe" in fragile.descriptors


async def test_a_unit_s_journal_is_asked_by_an_argument_list(tmp_path: Path) -> None:
    asked = tmp_path / "journalctl"
    asked.write_text('#!/bin/sh\necho "$2 says no until ${4%.*}"\n')
    asked.chmod(0o755)
    plan = replace(an_intent("act-aaaa11", SystemClock().now()).plan, touches=(Resource(ResourceKind.UNIT, "web; id"),))
    host = LinuxHost(tmp_path)
    found = HostEvidence(host, lambda _: "", journalctl=str(asked), package_logs=()).records(plan, NOW)
    assert found.log == [f"web; id says no until @{int(NOW.timestamp())}"], "what the repair itself leaves there is no clue"
    assert found.log_source == "journalctl -u web; id"
    assert HostEvidence(host, lambda _: "", journalctl="/nowhere", package_logs=()).records(plan, NOW).log == []


async def test_what_changed_in_the_day_before_is_named_and_what_the_repair_changes_is_not(tmp_path: Path) -> None:
    at, log = NOW.replace(microsecond=0), tmp_path / "dpkg.log"
    upgraded = f"{(at - timedelta(hours=2)).astimezone():%Y-%m-%d %H:%M:%S}"
    log.write_text(f"{'x' * 200_000}\n{upgraded} upgrade openssl:amd64 3.0.14 3.0.15\n")
    for name, hours in (("certificate", 1), ("pidfile", -1)):
        (tmp_path / name).touch()
        moment = (at - timedelta(hours=hours)).timestamp()
        os.utime(tmp_path / name, (moment, moment))
    plan = an_intent("act-aaaa11", SystemClock().now()).plan
    later = at + timedelta(hours=1) - timedelta(seconds=1)
    evidence = HostEvidence(LinuxHost(tmp_path), lambda _: "", package_logs=[log])
    found = evidence.surroundings(plan, [str(tmp_path / name) for name in ("certificate", "pidfile")], later)
    related = (*found.related, *evidence.records(plan, later).related)
    told = [line.partition("  ")[2] for line in related]
    assert told == [f"file {tmp_path}/certificate (mode, owner or name)", "package upgrade openssl:amd64 3.0.14 -> 3.0.15"]
    assert all(datetime.fromisoformat(line.partition("  ")[0]) <= later for line in related)
    assert all(line.partition("  ")[0].endswith("+00:00") for line in related), "so that they can be put in order"
    assert found.host.startswith("load ") and ", memory " in found.host and ", up " in found.host


def a_program(folder: Path) -> str:
    """Write a service that says something in its first life only."""
    program, marker = folder / "program", folder / "second"
    first_time = f"touch {marker}; echo the disk is on fire token=abc"
    program.write_text(f"#!/bin/sh\n[ -e {marker} ] || {{ {first_time}; }}\nexec sleep 1000\n")
    program.chmod(0o755)
    return str(program)


async def test_the_last_words_of_a_service_are_read_before_its_restart_overwrites_them(tmp_path: Path) -> None:
    web = {"command": {"start": [a_program(tmp_path)], "user": ACCOUNT}, "every": "1s"}
    config = own_config({"services": {"web": web}}, ["restart_service"], redact=[r"token=\S+"])
    async with EngineHere(tmp_path, config) as engine:
        await engine.settle()
        first = engine.action("restart_service")
        process = engine.runtime._host.look().service_process("web")
        assert process is not None
        os.kill(process.pid, 9)
        async with asyncio.timeout(60):  # it is looked at once a second
            while engine.action("restart_service").id == first.id:
                await asyncio.sleep(0.05)
                await engine.settle()
        ended = engine.action("restart_service")
        incident = engine.store.incident(str(ended.incident))
        assert incident is not None
        facts = evidence_in(engine.store, incident)
        assert facts["log"] == ["the disk is on fire [redacted]"]
        assert facts["processes"]
        replaced = engine.runtime._host.look().service_process("web")
        assert replaced is not None
        os.kill(replaced.pid, 9)
