import asyncio
import json
import time
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pytest

from tests.support.state import an_incident, an_intent, an_outcome
from tests.support.telling import CONTEXT, FACTS, NIGHT, a_message, a_policy, event_server, mail_server, secret
from zen_agents.adapters.audit_key import AuditKey
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.ledger_heads import heads_in
from zen_agents.adapters.outbox_at_rest import OutboxAtRest
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.worker_process import run_worker
from zen_agents.alerts.policy import (
    AlertPolicy,
    DigestPolicy,
    EscalationStep,
    HeartbeatPolicy,
    QuietHours,
    Route,
    SelfTestPolicy,
    StepCondition,
)
from zen_agents.clock import ManualClock
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import Brake


class Telling:
    """An outbox over a real state in a directory, on a clock that moves when told."""

    def __init__(self, directory: Path, policy: AlertPolicy) -> None:
        self.directory, self.policy = directory, policy
        self.clock = ManualClock(NIGHT.wall, NIGHT.steady)
        self.store = SqliteStore(directory / "state.db")
        self.open()

    def open(self) -> None:
        self.outbox = OutboxAtRest(
            self.store, self.policy, self.clock, context=CONTEXT, spill=self.directory / "outbox-spill.jsonl"
        )

    def restart(self) -> None:
        """Lose everything that is not on disk."""
        self.store.close()
        self.store = SqliteStore(self.directory / "state.db")
        self.open()

    def tell(self, **changes: Any) -> Message:
        message = a_message(**{"at": self.clock.now(), **changes})
        self.outbox.tell(message)
        return message

    def incident(self, id: str = "inc-4k2p7m", **changes: Any) -> None:
        self.store.save_incident(replace(an_incident(id, self.clock.now()), **changes))
        self.store.commit()

    async def deliver(self, after_seconds: float = 0.0) -> None:
        self.clock.advance(after_seconds)
        await self.outbox.deliver_due()
        assert await self.outbox.drain(30)


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Any]:
    opened: list[Telling] = []

    def make(policy: AlertPolicy) -> Telling:
        opened.append(Telling(tmp_path, policy))
        return opened[-1]

    yield make
    for one in opened:
        one.store.close()


OVER = {**FACTS, "state": "RECOVERED after 4 min, by itself."}


async def test_a_page_and_a_mail_go_out_and_recovery_follows_in_the_same_thread(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        here.incident()
        here.tell()
        await here.deliver()
        here.tell(id="alr-over", kind=MessageKind.RESOLVED, facts=OVER)
        await here.deliver(60)

    assert events.actions() == ["trigger", "resolve"]
    first, second = box.mails
    assert first["Subject"].startswith("[zen CRITICAL] web-07: nginx bad")
    assert second["Subject"] == f"Re: {first['Subject']}"
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert next(second.iter_parts()).get_content().startswith("RECOVERED")
    assert here.store.open_pages() == {}
    assert here.outbox.undelivered() == []


async def test_the_resolve_arrives_although_the_engine_was_restarted_in_between(telling: Any) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        here.tell()
        await here.deliver()
        here.restart()
        here.tell(id="alr-over", kind=MessageKind.RESOLVED, facts=OVER)
        await here.deliver(300)

    assert events.actions() == ["trigger", "resolve"]
    assert [body["dedup_key"] for body in events.bodies()] == ["zen-agents/web-07/system_health.nginx|service:nginx"] * 2
    assert "RECOVERED" in events.bodies()[1]["payload"]["custom_details"]["1 state"]


async def test_a_page_whose_incident_ended_unheard_is_closed(telling: Any) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        here.tell()
        await here.deliver()
        here.incident(state=IncidentState.RESOLVED, resolved_at=here.clock.now(), resolved_by="itself")
        here.restart()
        await here.deliver(61)
        await here.deliver(61)

    assert events.actions() == ["trigger", "resolve"]


async def test_a_message_told_before_a_crash_is_delivered_after_it(telling: Any) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.tell()
        here.store.commit()
        here.restart()
        await here.deliver()

    assert events.actions() == ["trigger"]


async def test_only_a_changed_fact_triggers_again_also_after_a_restart(telling: Any) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        for id in ("alr-1", "alr-2"):
            here.tell(id=id)
            await here.deliver(5)
        here.restart()
        here.tell(id="alr-3", facts={**FACTS, "host": "load 9", "state": "connection refused, 9 of 9 checks"})
        await here.deliver(5)
        here.tell(id="alr-4", facts={**FACTS, "next": "Nothing more."})
        await here.deliver(5)

    assert events.actions() == ["trigger", "trigger"]
    assert events.bodies()[1]["payload"]["custom_details"]["3 next if you do nothing"] == "Nothing more."


async def test_429_and_500_are_tried_again_with_growing_waits_until_it_is_taken(telling: Any) -> None:
    with event_server() as events:
        events.statuses = [429, 500, 503, 202]
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        here.tell()
        tries = []
        for _ in range(60):
            await here.deliver(1)
            tries.append(len(events.requests))

    assert events.actions() == ["trigger"] * 4
    waits = [tries.index(number + 1) - tries.index(number) for number in (1, 2, 3)]
    assert 5 <= waits[0] <= 11
    assert 10 <= waits[1] <= 16
    assert 20 <= waits[2] <= 26
    assert here.outbox.undelivered() == []


async def test_a_refused_event_is_not_repeated_but_shown_and_told_by_mail(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        events.statuses = [400]
        here = telling(replace(a_policy(smtp_port=box.port, pagerduty=events.url), routes=(Route(("pagerduty",)),)))
        here.tell()
        await here.deliver()
        shown = list(here.outbox.undelivered())
        for _ in range(5):
            await here.deliver(600)

    assert len(events.requests) == 1
    assert len(shown) == 1
    assert "pagerduty" in shown[0]
    assert "reject, 400" in shown[0]
    assert len(box.mails) == 1
    assert "page not delivered" in box.mails[0]["Subject"]
    assert box.mails[0]["X-Zen-Incident"] == "inc-4k2p7m"


async def test_a_page_late_by_a_quarter_of_an_hour_is_told_by_mail_once(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        events.statuses = [503] * 100
        here = telling(replace(a_policy(smtp_port=box.port, pagerduty=events.url), routes=(Route(("pagerduty",)),)))
        here.tell()
        mails = []
        for _ in range(30):
            await here.deliver(60)
            mails.append(len(box.mails))
        events.statuses.clear()
        await here.deliver(600)

    assert mails[13] == 0
    assert mails[-1] == 1
    assert box.mails[0]["Subject"].startswith("[zen CRITICAL] web-07: page not delivered: web-07: nginx")
    assert events.actions()[-1] == "trigger"


async def test_nobody_listens_and_nothing_breaks(telling: Any) -> None:
    here = telling(a_policy(smtp_port=9, pagerduty="http://127.0.0.1:9"))
    here.tell()
    await here.deliver()

    assert len(here.outbox.undelivered()) == 2
    assert all("refused" in line for line in here.outbox.undelivered())
    assert len(here.store.due_messages(1e12)) == 2


async def test_a_server_that_hangs_holds_up_neither_the_loop_nor_the_other_channel(telling: Any) -> None:
    with mail_server() as box, event_server(hangs=True) as events:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        here.tell()
        await here.outbox.deliver_due()
        failed_by_then = here.outbox.undelivered()
        assert await asyncio.to_thread(events.arrived.wait, 20)
        async with asyncio.timeout(20):
            while not box.mails:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await here.outbox.deliver_due()
        here.tell(id="alr-other", name="other")
        events.released.set()
        assert await here.outbox.drain(30)
        await here.deliver()

    assert failed_by_then == [], "it waited until the server that hangs was given up"
    assert [body["payload"]["component"] for body in events.bodies()] == ["nginx", "other"]
    assert len(box.mails) == 2


async def test_closing_stops_a_worker_that_hangs_and_keeps_its_message(telling: Any) -> None:
    with event_server(hangs=True) as events:
        here = telling(a_policy(pagerduty=events.url))
        here.tell()
        await here.outbox.close(0.5)

    assert len(here.store.due_messages(1e12)) == 1


async def test_while_the_state_cannot_be_written_messages_go_to_a_file_and_still_out(
    telling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill = tmp_path / "outbox-spill.jsonl"
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))

        def full(*args: object, **changes: object) -> None:
            raise StoreError("disk full")

        with monkeypatch.context() as broken:
            for name in ("enqueue", "commit", "mark_sent", "mark_failed", "put"):
                broken.setattr(here.store, name, full)
            broken.setattr(here.store, "writable", lambda: False)
            here.tell()
            assert spill.stat().st_mode & 0o777 == 0o600
            await here.deliver()
            assert [json.loads(line)["ended"]["state"] for line in spill.read_text().splitlines()] == ["sent"]
            here.tell(id="alr-2", name="later")
            assert "later" in spill.read_text()
        here.restart()
        await here.deliver(5)

    assert [body["payload"]["component"] for body in events.bodies()] == ["nginx", "later"]
    assert not spill.exists()
    assert here.store.sent_since("pagerduty", 0.0) == 2


async def test_what_was_sent_beside_the_state_is_known_there_once_it_can_be_written(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could tell afterwards that people were told, and the page would stay open after a crash."""
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            told = here.tell()
            await here.deliver()
            assert here.store.sent_since("pagerduty", 0.0) == 0
        await here.deliver(5)
        here.restart()
        await here.deliver(60)

    assert events.actions() == ["trigger"]
    assert here.store.sent_since("pagerduty", 0.0) == 1
    assert list(here.store.open_pages()) == [told.dedup_key]


async def test_what_was_sent_beside_the_state_is_known_there_after_a_crash_and_its_page_is_closed(
    telling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The incident went with the memory of the engine that died; a page about it must not stay open for ever."""
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            told = here.tell()
            await here.deliver()
        here.restart()
        await here.deliver(5)
        assert here.store.sent_since("pagerduty", 0.0) == 1
        assert list(here.store.open_pages()) == [told.dedup_key]
        assert not (tmp_path / "outbox-spill.jsonl").exists()
        await here.deliver(61)
        await here.deliver(61)

    assert events.actions() == ["trigger", "resolve"]
    assert here.store.open_pages() == {}


@pytest.mark.parametrize("is_over", [False, True])
async def test_what_was_told_beside_the_state_is_not_told_again_after_a_crash_unless_it_was_over(
    telling: Any, monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    """An engine that starts with a state that it cannot write finds the same trouble as the one that died."""

    with event_server() as events, mail_server() as box:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            here.tell()
            await here.deliver()
            if is_over:
                await here.deliver(1)
                here.tell(id="alr-over", kind=MessageKind.RESOLVED, facts=OVER)
                await here.deliver()
        here.restart()
        here.clock.advance(5)
        here.tell(id="alr-again")
        await here.deliver()

    assert events.actions() == (["trigger", "resolve", "trigger"] if is_over else ["trigger"])
    assert len(box.mails) == (3 if is_over else 1)


async def test_what_was_over_before_a_restart_is_told_when_it_comes_back_although_its_end_still_waits(telling: Any) -> None:
    with event_server() as events:
        events.statuses = [202, 503, 202]
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        here.tell()
        await here.deliver()
        here.tell(id="alr-over", kind=MessageKind.RESOLVED, facts=OVER)
        await here.deliver(1)
        here.restart()
        here.tell(id="alr-again")
        await here.deliver(1)

    assert events.actions() == ["trigger", "resolve", "trigger"]


async def test_what_is_over_once_the_state_takes_writes_again_is_told_as_over(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end was told after the beginning, which still waits beside the state."""

    with event_server() as events, mail_server() as box:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            here.tell()
        here.tell(id="alr-over", kind=MessageKind.RESOLVED, facts=OVER)
        await here.deliver()
        assert events.actions() == ["resolve"]
        assert len(box.mails) == 1
        here.restart()
        here.clock.advance(5)
        here.tell(id="alr-again")
        await here.deliver()

    assert events.actions() == ["resolve", "trigger"]
    assert len(box.mails) == 2


async def test_what_moves_into_the_state_while_it_is_on_its_way_is_sent_once(
    telling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with event_server(hangs=True) as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            here.tell()
            await here.outbox.deliver_due()
            assert await asyncio.to_thread(events.arrived.wait, 20)
        await here.outbox.deliver_due()
        assert len(here.store.due_messages(1e12)) == 1
        events.released.set()
        assert await here.outbox.drain(30)
        await here.deliver(60)

    assert events.actions() == ["trigger"]
    assert here.store.due_messages(1e12) == []


async def test_a_batch_that_somebody_else_rolled_back_does_not_take_a_message_with_it(telling: Any) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.tell()
        here.store._file.rollback()  # as when the disk is full at the end of a turn
        await here.deliver()

    assert events.actions() == ["trigger"]


async def test_what_went_out_from_beside_the_state_is_not_sent_again_when_the_lost_batch_is_written(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost batch held the message too, and comes back with the first write that succeeds."""
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.incident()

        def full(*args: object, **changes: object) -> None:
            raise StoreError("disk full")

        with monkeypatch.context() as broken:
            here.tell()
            here.store._file.rollback()
            for name in ("enqueue", "commit", "mark_sent", "mark_failed", "put"):
                broken.setattr(here.store, name, full)
            broken.setattr(here.store, "writable", lambda: False)
            await here.deliver()
        assert events.actions() == ["trigger"]
        here.store.put("anything", "a write that succeeds")
        here.store.commit()
        assert len(here.store.due_messages(1e12)) == 1
        await here.deliver(60)
        await here.deliver(60)

    assert events.actions() == ["trigger"]
    assert here.store.due_messages(1e12) == []
    assert here.store.sent_since("pagerduty", 0.0) == 1


async def test_what_was_sent_is_not_sent_again_while_it_cannot_be_marked(
    telling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.tell()
        here.store.commit()

        def full(*args: object, **changes: object) -> None:
            raise StoreError("disk full")

        with monkeypatch.context() as broken:
            broken.setattr(here.store, "mark_sent", full)
            for _ in range(4):
                await here.deliver(30)
        await here.deliver(30)

    assert events.actions() == ["trigger"]
    assert here.store.due_messages(1e12) == []


async def test_with_no_disk_at_all_a_message_is_delivered_from_memory(
    telling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        here.outbox = OutboxAtRest(
            SqliteStore.volatile(), here.policy, here.clock, context=CONTEXT, spill=tmp_path / "gone" / "spill.jsonl"
        )
        here.tell()
        await here.deliver()
        await here.deliver(60)

    assert events.actions() == ["trigger"]
    assert "only in memory" in caplog.text


def test_a_spill_file_that_others_may_write_or_that_is_damaged_is_not_believed(telling: Any, tmp_path: Path) -> None:
    spill = tmp_path / "outbox-spill.jsonl"
    spill.write_text('{"channel": "pagerduty"}\nnonsense\n')
    spill.chmod(0o600)
    here = telling(a_policy(pagerduty="http://127.0.0.1:9"))
    assert OutboxRows(here.store, spill).pending() == []

    spill.chmod(0o666)
    assert OutboxRows(here.store, spill).pending() == []
    spill.unlink()
    spill.symlink_to("/etc/passwd")
    assert OutboxRows(here.store, spill).pending() == []


async def test_ten_thousand_at_once_become_a_few_and_one_roll_up(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        policy = replace(a_policy(smtp_port=box.port, pagerduty=events.url), routes=(Route(("pagerduty", "email")),))
        here = telling(policy)
        messages = [
            a_message(f"alr-{number:06}", name=f"s{number}", rule="web.down", severity=Severity.WARNING, incident=None)
            for number in range(10_000)
        ]
        begun = time.process_time()
        for message in messages:
            here.outbox.tell(message)
        took = time.process_time() - begun
        rows = len(here.store.due_messages(1e12, limit=10_000))
        for _ in range(5):
            await here.deliver(31)
        told = (len(events.requests), len(box.mails))
        for message in messages:
            here.outbox.tell(replace(message, id=f"{message.id}-over", kind=MessageKind.RESOLVED))
        rows_over = len(here.store.due_messages(1e12, limit=10_000))
        for _ in range(3):
            await here.deliver(31)

    assert rows == 40
    assert rows_over <= 42
    assert events.actions().count("resolve") == 21
    assert here.store.open_pages() == {}
    assert took < 10.0, "a generous bound of CPU time, which no other work on the machine adds to: it is well under a second"
    assert told == (21, 2)
    assert events.bodies()[20]["payload"]["summary"].startswith("web-07: 9980 more messages in 1 min")
    assert len(box.mails) <= 24
    assert box.mails[0]["Subject"].startswith("[zen WARNING] web-07: 20 of web.down need you")
    assert "9980 more messages" in box.mails[1]["Subject"]
    text = next(box.mails[1].iter_parts()).get_content()
    assert "and 9944 more" in text


async def test_the_roll_up_s_page_is_closed_when_all_of_it_is_over(telling: Any) -> None:
    with event_server() as events:
        here = telling(replace(a_policy(pagerduty=events.url), max_per_hour=1))
        for name in ("a", "b", "c"):
            here.tell(id=f"alr-{name}", name=name, incident=None)
        await here.deliver(31)
        await here.deliver(1)
        here.restart()
        for name in ("b", "c"):
            here.tell(id=f"alr-{name}-over", name=name, kind=MessageKind.RESOLVED, incident=None)
        await here.deliver(1)

    keys = [(body["event_action"], body["dedup_key"].rpartition("/")[2]) for body in events.bodies()]
    assert sorted(keys) == [
        ("resolve", "engine|roll_up:pagerduty"),
        ("trigger", "engine|roll_up:pagerduty"),
        ("trigger", "system_health.a|service:a"),
    ]


async def test_a_restart_does_not_open_the_flood_gate(telling: Any) -> None:
    with event_server() as events:
        here = telling(replace(a_policy(pagerduty=events.url), max_per_hour=3))
        for number in range(3):
            here.tell(id=f"alr-{number}", name=f"s{number}")
        await here.deliver()
        here.restart()
        here.tell(id="alr-9", name="s9")
        await here.deliver()

    assert len(events.requests) == 3


async def test_escalation_tells_managers_only_while_nobody_has_it(telling: Any) -> None:
    with mail_server() as box:
        policy = replace(
            a_policy(smtp_port=box.port),
            escalation=(EscalationStep(1800, ("email:managers",), StepCondition.NOT_ACKNOWLEDGED),),
        )
        here = telling(policy)
        here.incident()
        here.incident("inc-taken1", acknowledged_by="alice", acknowledged_until=here.clock.now().steady + 3600)
        here.tell()
        here.tell(id="alr-2", name="taken", incident="inc-taken1")
        await here.deliver()
        await here.deliver(1801)

    by_recipient = [(to[0], mail["X-Zen-Incident"]) for to, mail in zip(box.recipients, box.mails, strict=True)]
    assert ("boss@example.com", "inc-4k2p7m") in by_recipient
    assert ("boss@example.com", "inc-taken1") not in by_recipient
    assert len([one for one in by_recipient if one[0] == "ops@example.com"]) == 2


async def test_nothing_that_renders_or_delivers_is_made_until_something_is_told(telling: Any) -> None:
    with mail_server() as box:
        here = telling(a_policy(smtp_port=box.port))
        for _ in range(3):
            await here.deliver(3600)
            await here.outbox.good_tick()
        at_rest = here.outbox._awake is None
        here.tell()
        await here.deliver(60)

    assert (at_rest, len(box.mails)) == (True, 1)


async def test_what_lasts_is_told_again_unless_a_person_has_it(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(replace(a_policy(smtp_port=box.port, pagerduty=events.url), repeat_every_seconds=3600.0))
        here.incident()
        here.tell()
        await here.deliver()
        await here.deliver(3601)
        here.incident(acknowledged_by="alice", acknowledged_until=here.clock.now().steady + 36_000)
        await here.deliver(3601)

    assert len(box.mails) == 2
    assert box.mails[1]["Subject"].startswith("Re: [zen CRITICAL]")
    assert events.actions() == ["trigger"]


async def test_quiet_hours_keep_a_warning_until_morning_and_never_the_urgent(telling: Any) -> None:
    with mail_server() as box:
        quiet = QuietHours(clock_time(22), clock_time(7), "Europe/Berlin")
        here = telling(replace(a_policy(smtp_port=box.port), quiet_hours=quiet))
        here.tell(severity=Severity.WARNING)
        here.tell(id="alr-2", name="odd", severity=Severity.WARNING, urgent=True)
        await here.deliver(60)
        at_night = len(box.mails)
        await here.deliver(4 * 3600)

    assert at_night == 1
    assert [mail["Subject"].split()[3] for mail in box.mails] == ["odd", "nginx"]


@pytest.mark.parametrize(("step_seconds", "told"), [(4 * 3600, 1), (-3600, 0)])
async def test_a_clock_that_is_set_in_quiet_hours_loses_nothing_and_wakes_nobody(
    telling: Any, step_seconds: float, told: int
) -> None:
    with mail_server() as box:
        here = telling(
            replace(a_policy(smtp_port=box.port), quiet_hours=QuietHours(clock_time(22), clock_time(7), "Europe/Berlin"))
        )
        here.tell(severity=Severity.WARNING)
        await here.deliver(60)
        here.clock.jump_wall(step_seconds)
        await here.deliver(1)
        after_the_step = len(box.mails)
        # By the clock as it was at first, the night would be over now.
        await here.deliver(4 * 3600)
        as_it_was = len(box.mails)
        await here.deliver(3600)

    assert (after_the_step, as_it_was, len(box.mails)) == (told, told, 1)


async def test_a_window_that_a_person_started_holds_all_but_the_urgent_until_it_is_ended(telling: Any) -> None:
    with mail_server() as box:
        here = telling(a_policy(smtp_port=box.port))
        now = here.clock.now()
        here.store.set_brake(Brake("maintenance_observe", "window:move", "racks", "alice", now, now.steady + 7200))
        here.tell()
        for number, reason in enumerate(("unknown", "safe", "stop", "question")):
            here.tell(id=f"alr-{number}", name=reason, severity=Severity.WARNING, urgent=True)
        await here.deliver(60)
        within = sorted(mail["Subject"].split()[3] for mail in box.mails)
        here.store.lift_brake("maintenance_observe", "window:move")
        await here.deliver(60)

    assert within == ["question", "safe", "stop", "unknown"]
    assert box.mails[-1]["Subject"].split()[3] == "nginx"


async def test_what_was_seen_before_the_repair_is_attached(telling: Any) -> None:
    seen = {"processes": ["812 java S 3072 MiB 40 s CPU"], "open_files": ["/srv/a.log\x1b[2J"]}
    with mail_server() as box:
        here = telling(a_policy(smtp_port=box.port))
        here.tell(facts={**FACTS, **seen})
        await here.deliver()

    (mail,) = box.mails
    assert mail.get_content_type() == "multipart/mixed"
    body, attached = mail.iter_parts()  # type: ignore[attr-defined]
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html"]
    assert attached.get_filename() == "evidence.txt"
    text = attached.get_content().replace("\r\n", "\n")
    assert "  812 java S 3072 MiB 40 s CPU\n" in text
    assert "LAST LINES journalctl -u nginx\n  03:12:33 nginx[8812]: [emerg] cannot load certificate\n" in text
    assert "\x1b" not in text


async def test_the_digest_comes_once_a_day_and_not_at_the_first_start(telling: Any) -> None:
    with mail_server() as box:
        here = telling(replace(a_policy(smtp_port=box.port), digest=DigestPolicy(clock_time(8), timezone="Europe/Berlin")))
        for _ in range(4):
            await here.deliver(1800)
        assert box.mails == []
        here.incident(opened_at=here.clock.now())
        intent = an_intent("act-7m3x9k", here.clock.now())
        here.store.reserve(intent, hourly_limit=5)
        here.store.finish(an_outcome("act-7m3x9k", OutcomeKind.VERIFIED, here.clock.now()))
        for _ in range(20):
            await here.deliver(1800)
            here.restart()

    (mail,) = box.mails
    assert mail["Subject"] == "[zen DIGEST] web-07: 2 things in the last day"
    text = next(mail.iter_parts()).get_content()
    assert "act-7m3x9k" in text
    assert "inc-4k2p7m" in text


def weekly(**policy: Any) -> AlertPolicy:
    """Try every channel on Saturdays at four in Berlin; the night of these tests is one, and it is a quarter past three."""
    return a_policy(**policy, self_test=SelfTestPolicy("sat", clock_time(4), "Europe/Berlin"))


async def test_every_channel_is_tried_once_a_week_and_wakes_nobody(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(weekly(smtp_port=box.port, pagerduty=events.url))
        for _ in range(10):
            await here.deliver(6 * 3600)
            here.store.commit()  # as each tick does
            here.restart()
        assert box.mails == [] and events.requests == [], "the first week has begun when it was started"
        for _ in range(6):
            await here.deliver(86_400)
            await here.deliver(60)
            here.store.commit()
            here.restart()

    assert sorted(box.recipients) == [["boss@example.com"], ["ops@example.com"]]
    assert all(mail["Subject"].startswith("[zen TEST] web-07: ") for mail in box.mails)
    assert "alerts.self_test" in next(box.mails[0].iter_parts()).get_content()  # type: ignore[attr-defined]
    assert events.actions() == ["resolve"]


async def test_a_channel_that_fails_its_trial_is_told_over_the_others_and_so_is_its_end(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(weekly(smtp_port=box.port, pagerduty=events.url))
        await here.deliver(3600)
        box.unknown.add("ops@example.com")
        await here.deliver(7 * 86_400)
        await here.deliver(60)
        broken = [body for body in events.bodies() if body["event_action"] == "trigger"]
        assert [body["dedup_key"] for body in broken] == ["zen-agents/web-07/engine|channel_failed:email"]
        assert "nobody hears of anything by email" in broken[0]["payload"]["summary"]
        assert "550" in broken[0]["payload"]["summary"]
        assert any("email" in line and "550" in line for line in here.outbox.undelivered())
        here.restart()
        box.unknown.clear()
        await here.deliver(7 * 86_400)
        await here.deliver(60)

    assert [body["dedup_key"] for body in events.bodies() if body["event_action"] == "resolve"].count(
        "zen-agents/web-07/engine|channel_failed:email"
    ) == 1
    assert here.outbox.undelivered() == []


async def test_a_page_that_fails_its_trial_is_told_by_mail_and_where_there_is_no_other_channel_by_status(
    telling: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(weekly(smtp_port=box.port, pagerduty=events.url))
        await here.deliver(3600)
        events.statuses = [400]
        await here.deliver(7 * 86_400)
        await here.deliver(60)
        (told,) = [mail for mail in box.mails if "TEST" not in mail["Subject"]]
        assert "nobody hears of anything by pagerduty" in told["Subject"].replace("\n", "")
        assert "zen-agents alert test" in next(told.iter_parts()).get_content()  # type: ignore[attr-defined]
        here.outbox.reconfigure(weekly(pagerduty=events.url), CONTEXT)
        events.statuses = [400]
        await here.deliver(7 * 86_400)
    assert any("pagerduty" in line and "400" in line for line in here.outbox.undelivered())
    assert "no other channel to say so" in caplog.text


async def test_the_heartbeat_is_pinged_only_after_a_good_tick_and_not_too_often(telling: Any, tmp_path: Path) -> None:
    with event_server() as events:
        url = secret(tmp_path / "url", f"{events.url}/ping/hidden-word")
        here = telling(replace(a_policy(), heartbeat=HeartbeatPolicy(60.0, url_file=url)))
        await here.deliver()
        assert events.requests == []
        for _ in range(3):
            await here.outbox.good_tick()
            assert await here.outbox.drain(30)
        here.clock.advance(61)
        events.statuses = [500]
        await here.outbox.good_tick()
        assert await here.outbox.drain(30)

    assert len(events.requests) == 2
    assert here.outbox.undelivered() == ["heartbeat: 500"]


async def test_the_ledger_s_signed_head_leaves_the_host_by_heartbeat_and_digest(telling: Any, tmp_path: Path) -> None:
    with event_server() as events, mail_server() as box:
        url = secret(tmp_path / "url", f"{events.url}/ping")
        digest = DigestPolicy(clock_time(4), timezone="Europe/Berlin")
        here = telling(replace(a_policy(smtp_port=box.port), heartbeat=HeartbeatPolicy(60.0, url_file=url), digest=digest))
        here.store.sign_with(AuditKey.of(tmp_path), lambda _: None, here.clock.now())
        here.store.append(Entry(EntryKind.HUMAN, "pause", here.clock.now(), "alice"))
        await here.deliver(60)
        await here.outbox.good_tick()
        assert await here.outbox.drain(30)
        for _ in range(50):
            await here.deliver(1800)

    (head,) = heads_in(events.asked_with[0]["X-Zen-Ledger-Head"])
    assert head.seq >= 1
    (told,) = heads_in(next(box.mails[0].iter_parts()).get_content())  # type: ignore[attr-defined]
    assert told == head
    assert verify(tmp_path / "state.db", keys=None, against=[head]).ok


async def test_safe_mode_pages_only_while_an_incident_is_open(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        engine = replace(
            a_message("alr-1", kind=MessageKind.ENGINE, incident=None, urgent=True), dedup_key="web-07/engine|safe_mode"
        )
        here.outbox.tell(engine)
        await here.deliver()
        assert (len(box.mails), len(events.requests)) == (1, 0)
        here.incident()
        here.tell(id="alr-2")
        here.outbox.tell(replace(engine, id="alr-3", facts={**FACTS, "state": "SAFE MODE: two unknown outcomes"}))
        await here.deliver(1)

    assert sorted(body["dedup_key"].rpartition("/")[2] for body in events.bodies()) == [
        "engine|safe_mode",
        "system_health.nginx|service:nginx",
    ]


async def test_an_executed_action_becomes_a_change_event_and_no_mail(telling: Any) -> None:
    with mail_server() as box, event_server() as events:
        here = telling(a_policy(smtp_port=box.port, pagerduty=events.url))
        here.tell(kind=MessageKind.CHANGE, severity=Severity.INFO, facts={"action": "act-7m3x9k", "outcome": "verified"})
        await here.deliver()

    assert [where for where, _ in events.requests] == ["/v2/change/enqueue"]
    assert box.mails == []
    assert here.store.open_pages() == {}


async def test_a_channel_that_is_gone_after_a_reload_gives_its_messages_up(telling: Any) -> None:
    here = telling(a_policy(pagerduty="http://127.0.0.1:9"))
    here.tell()
    here.outbox.reconfigure(AlertPolicy(), CONTEXT)
    await here.deliver()

    assert here.store.due_messages(1e12) == []


def test_telling_never_raises_whatever_it_is_told(telling: Any, caplog: pytest.LogCaptureFixture) -> None:
    here = telling(a_policy(smtp_port=9))
    here.outbox.tell(replace(a_message(), facts={"state": object(), "did": 7, "since": []}))
    here.store.close()
    here.outbox.tell(a_message("alr-2", summary="after the end"))

    assert "after the end" in caplog.text or (here.directory / "outbox-spill.jsonl").exists()


async def test_a_message_follows_on_one_that_a_crash_tore(
    telling: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill = tmp_path / "outbox-spill.jsonl"
    spill.write_text('{"channel": "pagerduty", "mess')
    spill.chmod(0o600)
    with event_server() as events:
        here = telling(a_policy(pagerduty=events.url))
        with monkeypatch.context() as broken:
            broken.setattr(here.store, "writable", lambda: False)
            here.tell(name="whole")
        here.restart()
        await here.deliver(2)
    assert [body["payload"]["component"] for body in events.bodies()] == ["whole"]


async def test_delivery_is_worth_starting_when_something_presses_and_again_when_the_worker_it_waited_for_has_ended(
    telling: Any,
) -> None:
    with mail_server() as box:
        here = telling(a_policy(smtp_port=box.port))
        here.tell(severity=Severity.WARNING)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(here.outbox.ripe(), 0)
        here.tell(id="alr-asks", name="asks", urgent=True)
        await asyncio.wait_for(here.outbox.ripe(), 30)
        await here.outbox.deliver_due()
        here.tell(id="alr-late", name="late", urgent=True)
        await asyncio.wait_for(here.outbox.ripe(), 30)
        await here.outbox.deliver_due()
        assert await here.outbox.drain(30)
        await asyncio.wait_for(here.outbox.ripe(), 30)
        await here.deliver()
    assert [name for mail in box.mails for name in ("asks", "late") if name in mail["Subject"]] == ["asks", "late"]


@pytest.mark.parametrize("expected", [True, False])
@pytest.mark.parametrize("somebody_hears", [True, False])
async def test_a_worker_is_started_ahead_where_somebody_is_to_hear_of_it_now(
    telling: Any, *, somebody_hears: bool, expected: bool
) -> None:
    begun: list[str] = []

    async def worker(module: str, request: str | Awaitable[str], *, timeout_seconds: float) -> str:
        begun.append("ready" if isinstance(request, str) else "ahead")
        return await run_worker(module, request, timeout_seconds=timeout_seconds)

    with mail_server() as box:
        here = telling(a_policy(smtp_port=box.port if somebody_hears else 0))
        here.outbox = OutboxAtRest(
            here.store, here.policy, here.clock, context=CONTEXT, spill=here.directory / "spill.jsonl", worker=worker
        )
        if expected:
            here.outbox.expect(a_message(at=here.clock.now(), urgent=True))
            await asyncio.sleep(0)
            assert begun == ["ahead"] * somebody_hears, "before there is anything to tell"
        here.tell(urgent=True)
        await asyncio.wait_for(here.outbox.ripe(), 30)
        await asyncio.sleep(0)
        assert begun == ["ahead"] * somebody_hears
        await here.deliver()
    assert begun == ["ahead"] * somebody_hears
    assert len(box.mails) == somebody_hears
