"""Written facts: what they say, and how they are refused."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.errors import HostError, UsageError
from zen_agents.model.observation import Status
from zen_agents.rehearsal.facts import FactsHost, read_facts

GOOD = """
now: 2026-11-21T03:14:00+01:00
observations:
  cpu.percent: 97
  service.web: down
  probe.db: up
  memory.percent: unknown
  disk.percent@disk:/srv: 93.5
"""


def facts(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_states_and_targets(tmp_path: Path) -> None:
    read = read_facts(facts(tmp_path, GOOD))
    assert read.now == datetime(2026, 11, 21, 2, 14, tzinfo=UTC)

    def seen(name: str, target: str) -> tuple[Status, float | None] | None:
        fact = read.about(name, target)
        return (fact.status, fact.value) if fact else None

    assert seen("cpu.percent", "host") == (Status.OK, 97.0)
    assert seen("memory.percent", "host") == (Status.UNKNOWN, None)
    assert seen("disk.percent", "disk:/srv") == (Status.OK, 93.5)
    assert seen("disk.percent", "disk:/") is None
    # `service.NAME` stands for whatever its checks are called.
    for name in ("process.web", "probe.web", "unit.web"):
        assert seen(name, "service:web") == (Status.PROBLEM, None)
    assert seen("process.db", "service:db") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("observations: {cpu.percent: 1}", "`now` is missing"),
        ("now: tomorrow\nobservations: {}", "is no ISO time"),
        ("now: 2026-11-21T03:14:00", "observations"),
        ("now: 2026-11-21\nobservations: [1]", "observations"),
        ("now: 2026-11-21\nobservations: {a: 1}\nmore: 2", "observations"),
        ("now: 2026-11-21\nobservations: {a: [1]}", "neither a number"),
        ("now: 0001-01-01T00:00:00+14:00\nobservations: {}", "is not between 1971 and 9998"),
        ("now: 9999-12-31T23:59:59-12:00\nobservations: {}", "is not between 1971 and 9998"),
        ("now: 1969-07-20T20:17:00Z\nobservations: {}", "is not between 1971 and 9998"),
        ("now: 2026-11-21\nobservations: {a: true}", "neither a number"),
        ("now: 2026-11-21\nobservations: {a: .nan}", "neither a number"),
        ("now: 2026-11-21\nobservations: {a: broken}", "neither a number"),
        ("now: 2026-11-21\nobservations: {a: 1, a: 2}", "ZC1"),
        ("now: [", "ZC0"),
        ("", "observations"),
    ],
)
def test_what_is_wrong_with_facts_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        read_facts(facts(tmp_path, text))


def test_facts_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_facts(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_facts(tmp_path)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(UsageError):
        read_facts(path)


def test_a_host_of_facts_is_calm_and_knows_nothing_else(tmp_path: Path) -> None:
    host = FactsHost(read_facts(facts(tmp_path, GOOD)))
    assert host.look() is host
    assert host.unit("web.service").active_state == "failed"
    assert host.unit("db.service").active_state == "active"
    assert {mount.path for mount in host.mounts()} == {"/", "/srv"}
    with pytest.raises(HostError, match="looks at no host"):
        host.read_file("/etc/passwd")
