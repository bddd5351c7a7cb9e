"""Rules that no single case shows: whatever the times, names, modes, arguments and neighbours, the answer keeps to them."""

from __future__ import annotations

import asyncio
import string
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.changing import IS_ROOT, changing
from tests.support.guarding import NOW, CalmHost, incident, plan, policy, question, ran, unit
from tests.support.ruling import OK, PROBLEM, UNKNOWN, moment, rule, rung
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.base import Limit
from zen_agents.guards.ownership import Ownership
from zen_agents.guards.recurrence import Recurrence
from zen_agents.guards.stateful import Stateful
from zen_agents.model.decision import DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.verdict import Ruling
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.rules.decide import decide
from zen_agents.rules.rule import Hold
from zen_agents.settings.loader import load

AGO = st.integers(0, 200).map(float)
#: What shells, and whoever splits words, take for more than a letter.
WORDS = st.text(st.sampled_from(string.ascii_letters + " '\"$`;&|<>*?[]{}()!#~\\%=-"), max_size=12)
BUSY: dict[str, Any] = {"state": "stopping", "booted_for": 20.0, "transaction": "dpkg", "run": "ansible", "cloud_init": True}
STATEFUL = ["postgresql", "mariadb", "mysql", "redis-server", "rabbitmq-server", "etcd", "kafka", "mongod"]


@contextmanager
def a_store() -> Iterator[SqliteStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder, "state.db"))
        try:
            yield store
        finally:
            store.close()


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """Draw an incident of any age whose last looks said anything."""
    good, unknown = draw(st.none() | AGO), draw(st.none() | AGO)
    return replace(
        incident(), state=draw(st.sampled_from([IncidentState.OPEN, IncidentState.VERIFYING, IncidentState.ESCALATED])),
        began_at=moment(700.0), opened_at=moment(700.0), changed_at=moment(700.0), action=draw(st.none() | st.just("act-1")),
        last_status=UNKNOWN if unknown is not None else OK if good is not None else PROBLEM,
        good_since=None if good is None else 1000.0 - good, good_streak=draw(st.integers(0, 4)) if good is not None else 0,
        unknown_since=None if unknown is None else 1000.0 - unknown, settle_until=1000.0 - draw(AGO) + 20.0,
        verify_deadline=1000.0 - draw(AGO) + 100.0, relapsed=draw(st.booleans()),
    )  # fmt: skip


@settings(max_examples=300)
@given(incidents(), st.integers(1, 3), AGO, AGO, st.booleans())
def test_nothing_is_over_before_it_was_seen_to_be_good_for_as_long_as_asked(
    seen: Incident, often: int, clear_for: float, bake: float, flapping: bool
) -> None:
    """R6, and R2: what cannot be told is no success."""
    asked = rule(hold=Hold(recover_after=often, clear_for_seconds=clear_for), ladder=(rung(bake_seconds=bake),))
    if decide(seen, asked, moment(1000.0), flapping=flapping).kind is DecisionKind.RESOLVE:
        assert seen.last_status is OK and seen.good_since is not None
        assert seen.good_streak >= often
        assert 1000.0 - seen.good_since >= (bake if seen.state is IncidentState.VERIFYING else clear_for)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=15), st.integers(1, 4), st.integers(0, 6_000))
def test_one_fault_is_repaired_no_more_often_than_it_may_come_back(agos: list[int], most: int, calm: int) -> None:
    """R7: once too often is once more only after a calm; people decide where none is asked for."""
    within = 7_200.0
    limits, done = policy(recurrence=Limit(most, within, float(calm))), list[int]()
    with a_store() as store:
        for ago in sorted(agos, reverse=True):
            if Recurrence().assess(question(store, policy=limits, now=NOW.after(-ago))).ruling is Ruling.ALLOW:
                ran(store, ago=ago)
                done.append(ago)
    for place, ago in enumerate(done):
        recent = [before for before in done[:place] if before - ago < within]
        assert len(recent) < most or (calm > 0 and recent[-1] - ago >= calm), done


@settings(max_examples=40)
@given(st.sets(st.sampled_from(sorted(BUSY))), st.booleans())
def test_whoever_else_has_the_host_is_waited_for_whoever_else_does_not(busy: set[str], job: bool) -> None:
    """R24."""
    host = CalmHost(**{name: BUSY[name] for name in busy}, units={"web.service": unit(busy=job)})
    with a_store() as store:
        answer = Ownership().assess(question(store, host=host))
    assert (answer.ruling is Ruling.ALLOW) == (not busy and not job)


@settings(max_examples=40)
@given(st.sampled_from(STATEFUL), st.sampled_from(["", "@main", "@15-main"]), st.booleans(), st.sets(WORDS, max_size=3))
def test_what_keeps_something_is_restarted_only_where_it_is_named_to_the_letter(
    plain: str, instance: str, named: bool, others: set[str]
) -> None:
    """R25."""
    name = f"{plain}{instance}.service"
    near = {plain, plain.upper(), f"{plain}*", "*", f"{name} ", f"x{name}", *others} - {name}
    allowed = policy(stateful_allowed=frozenset(near | ({name} if named else set())))
    host = CalmHost(units={name: unit(name)})
    with a_store() as store:
        answer = Stateful().assess(question(store, plan=plan(None, f"unit:{name}"), host=host, policy=allowed))
    assert (answer.ruling is Ruling.ALLOW) == named, answer


@settings(max_examples=12)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_a_program_is_handed_each_argument_as_it_is(words: list[str]) -> None:
    """R18."""
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(_printed(Path(folder), words))
    assert (result.exit_code, result.output) == (0, "".join(f"[{word}]" for word in words))


async def _printed(folder: Path, words: list[str]) -> CommandResult:
    here = changing(folder)
    try:
        return await here.control().run(Command(("/usr/bin/printf", "[%s]", *words), timeout_seconds=60.0))
    finally:
        here.controls.close()


@pytest.mark.skipif(not IS_ROOT, reason="others can only be kept out of root's files")
@settings(max_examples=20)
@given(st.integers(0, 0o777))
def test_a_configuration_is_read_exactly_if_nobody_else_may_write_it(mode: int) -> None:
    """R21."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.yaml")
        file.write_text("agents: {system_health: {}}\n", encoding="utf-8")
        file.chmod(mode)
        assert (load(file, {}).settings is None) == bool(mode & 0o022)


@settings(max_examples=12)
@given(st.binary(max_size=200), st.integers(0, 0o777), st.text(string.ascii_letters + " '$*-", min_size=1, max_size=20))
def test_what_was_taken_away_comes_back_as_it_was(content: bytes, mode: int, name: str) -> None:
    """R10, and R31."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "srv", name)
        file.parent.mkdir()
        file.write_bytes(content)
        file.chmod(mode)
        asyncio.run(_taken_away_and_given_back(Path(folder), file))
        assert list(file.parent.iterdir()) == [file]
        assert file.stat().st_mode & 0o7777 == mode
        file.chmod(0o600)
        assert file.read_bytes() == content


async def _taken_away_and_given_back(folder: Path, file: Path) -> None:
    here = changing(folder)
    try:
        with await asyncio.to_thread(here.control().open_directory, str(file.parent)) as directory:
            seen = here.host.look().file(str(file))
            assert seen is not None
            kept = directory.quarantine(seen, action="remove_stale_pidfile")
            assert here.host.look().file(str(file)) is None
            directory.give_back(kept, file.name)
    finally:
        here.controls.close()
