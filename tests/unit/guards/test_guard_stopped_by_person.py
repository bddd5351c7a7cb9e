from __future__ import annotations

import pytest

from tests.support.guarding import CalmHost, by_alice, plan, policy, question, unit
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pipeline import assess
from zen_agents.guards.stopped_by_person import StoppedByPerson
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling

STOPPED = [
    {"active_state": "inactive", "sub_state": "dead"},
    {"active_state": "failed", "result": "exit-code", "unit_file_state": "disabled"},
    {"active_state": "inactive", "result": "exit-code", "unit_file_state": "disabled"},
    {"active_state": "failed", "result": "exit-code", "unit_file_state": "masked"},
    {"active_state": "failed", "result": "exit-code", "load_state": "masked", "unit_file_state": ""},
    {"active_state": "active", "unit_file_state": "masked-runtime"},
]
SAID = [
    "web.service is inactive and ended well",
    "web.service is failed and disabled",
    "web.service is inactive and disabled",
    "web.service is masked",
    "web.service is masked",
    "web.service is masked",
]
FAULTY = [
    {},
    {"active_state": "failed", "result": "exit-code"},
    {"active_state": "failed", "result": "signal", "unit_file_state": "static"},
    {"active_state": "inactive", "result": "core-dump"},
    {"active_state": "active", "unit_file_state": "disabled"},
    {"active_state": "activating", "sub_state": "auto-restart", "result": "exit-code"},
]

KEEP = {"agents.system_health.services.web.keep": "zen.yaml:70:9"}


def _host(state: dict) -> CalmHost:
    return CalmHost(units={"web.service": unit(**state)})


@pytest.mark.parametrize(("state", "said"), list(zip(STOPPED, SAID, strict=True)))
def test_what_a_person_stopped_is_not_started(store: SqliteStore, state: dict, said: str) -> None:
    answer = StoppedByPerson().assess(question(store, host=_host(state), policy=policy(origins=KEEP)))
    assert answer == Answer("stopped_by_person", Ruling.DENY, Reason.STOPPED_BY_PERSON, said, "zen.yaml:70:9")


@pytest.mark.parametrize("state", FAULTY)
def test_what_failed_by_itself_is_repaired(store: SqliteStore, state: dict) -> None:
    answer = StoppedByPerson().assess(question(store, host=_host(state), policy=policy(origins=KEEP)))
    assert answer == Answer("stopped_by_person", Ruling.ALLOW, None, "not stopped by a person", "zen.yaml:70:9")


@pytest.mark.parametrize(("state", "said"), list(zip(STOPPED, SAID, strict=True)))
def test_a_service_that_is_to_be_kept_running_is_started(store: SqliteStore, state: dict, said: str) -> None:
    kept = policy(keep_running=frozenset({"service:web"}), origins=KEEP)
    answer = StoppedByPerson().assess(question(store, host=_host(state), policy=kept))
    said = f"{said}, but it is to be kept running"
    assert answer == Answer("stopped_by_person", Ruling.ALLOW, None, said, "zen.yaml:70:9")


@pytest.mark.parametrize("state", STOPPED)
def test_a_person_starts_what_a_person_stopped(store: SqliteStore, state: dict) -> None:
    asked = question(store, request=by_alice(), host=_host(state))
    assert assess(asked, [StoppedByPerson()]).ruling is Ruling.ALLOW


def test_what_is_only_taken_along_is_not_started_and_not_judged(store: SqliteStore) -> None:
    host = CalmHost(
        units={
            "web.service": unit(active_state="failed", result="signal", takes_along=("job.service",)),
            "job.service": unit("job.service", active_state="inactive"),
        }
    )
    asked = question(store, plan=plan(None, "unit:web.service", "unit:job.service"), host=host)
    assert StoppedByPerson().assess(asked).ruling is Ruling.ALLOW


def test_a_unit_that_cannot_be_told_is_refused(store: SqliteStore) -> None:
    host = CalmHost(mute=frozenset({"unit"}))
    assert assess(question(store, host=host), [StoppedByPerson()]).reason is Reason.GUARD_ERROR


def test_one_that_a_person_stopped_among_others_refuses(store: SqliteStore) -> None:
    units = {name: unit(name) for name in ("web.service", "api.service", "job.service")}
    units["api.service"] = unit("api.service", active_state="inactive")
    asked = question(store, plan=plan(None, *(f"unit:{name}" for name in units)), host=CalmHost(units=units))
    assert StoppedByPerson().assess(asked).value == "api.service is inactive and ended well"
