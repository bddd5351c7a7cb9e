from __future__ import annotations

from tests.support.guarding import Flag, by_alice, question
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.emergency_stop import EmergencyStop
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling


def test_allows_while_no_flag_is_set(store: SqliteStore) -> None:
    answer = EmergencyStop().assess(question(store))
    assert (answer.ruling, answer.value) == (Ruling.ALLOW, "not set")


def test_refuses_and_says_who_set_it(store: SqliteStore) -> None:
    answer = EmergencyStop().assess(question(store, stop=Flag("set by alice: runaway\nrestarts")))
    assert (answer.ruling, answer.reason) == (Ruling.DENY, Reason.EMERGENCY_STOP)
    assert answer.value == "set by alice: runaway restarts"


def test_an_empty_flag_is_set(store: SqliteStore) -> None:
    answer = EmergencyStop().assess(question(store, stop=Flag("")))
    assert (answer.reason, answer.value) == (Reason.EMERGENCY_STOP, "set")


def test_a_flag_that_is_no_file_counts_as_set(store: SqliteStore, tmp_path) -> None:
    (tmp_path / "EMERGENCY_STOP").mkdir()
    flag = EmergencyFlag(tmp_path, host_flag=tmp_path / "none")
    assert EmergencyStop().assess(question(store, stop=flag)).reason is Reason.EMERGENCY_STOP


def test_a_person_is_refused_as_well_whatever_they_override(store: SqliteStore) -> None:
    asked = question(store, request=by_alice("emergency_stop"), stop=Flag("set"))
    assert assess(asked, [EmergencyStop()]).reason is Reason.EMERGENCY_STOP
