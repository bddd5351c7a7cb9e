from __future__ import annotations

import random

from tests.support.ruling import PROBLEM, UNKNOWN, finding, moment, new_ids, rule
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.rules import transitions
from zen_agents.rules.hysteresis import fold
from zen_agents.rules.inhibition import muted_by, worst_first

ids = new_ids()


def incident(name: str, *, at: float = 0.0, severity: Severity = Severity.WARNING, opened: bool = True) -> Incident:
    made = rule(name=name, target="host", severity=severity)
    result = fold(made, None, finding(PROBLEM if opened else UNKNOWN, moment(at)), moment(at), new_id=ids)
    assert result is not None
    return result


def by_key(*incidents: Incident) -> dict[str, Incident]:
    return {one.key: one for one in incidents}


def test_an_open_dependency_mutes() -> None:
    assert muted_by({"db|host", "dns|host"}, by_key(incident("db"))) == "db|host"
    assert muted_by({"dns|host"}, by_key(incident("db"))) is None
    assert muted_by((), by_key(incident("db"))) is None


def test_a_suspicion_or_something_resolved_mutes_nothing() -> None:
    over = transitions.resolved(incident("db"), "itself", moment(1.0))

    assert muted_by({"db|host"}, by_key(incident("db", opened=False))) is None
    assert muted_by({"db|host"}, by_key(over)) is None


def test_a_told_dependency_mutes_still() -> None:
    told = transitions.escalated(incident("db"), Reason.NO_ACTION, moment(1.0))

    assert muted_by({"db|host"}, by_key(told)) == "db|host"


def test_a_cause_further_away_mutes_and_the_nearest_wins() -> None:
    graph = {"app|host": frozenset({"db|host"}), "db|host": frozenset({"disk|host"})}

    assert muted_by({"app|host"}, by_key(incident("disk")), graph) == "disk|host"
    assert muted_by({"app|host"}, by_key(incident("disk"), incident("db")), graph) == "db|host"


def test_cycles_end() -> None:
    graph = {"a|host": frozenset({"b|host"}), "b|host": frozenset({"a|host", "b|host"})}

    assert muted_by({"a|host"}, {}, graph) is None


def test_worst_first_by_severity_then_age_then_name() -> None:
    ordered = [
        incident("z", at=9.0, severity=Severity.CRITICAL),
        incident("y", at=1.0),
        incident("a", at=2.0),
        incident("b", at=2.0),
        incident("x", at=0.0, severity=Severity.INFO),
    ]
    shuffled = list(ordered)
    random.Random(3).shuffle(shuffled)

    assert worst_first(shuffled) == ordered
