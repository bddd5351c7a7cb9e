from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.telling import a_message, a_policy
from zen_agents.alerts.ordering import Known, choose
from zen_agents.alerts.policy import EscalationStep, Route, StepCondition
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow

POLICY = a_policy(smtp_port=25, pagerduty="https://events.example.com")


def a_row(id: int, message: Message, channel: str = "email", *, attempts: int = 0, not_before: float = 0.0) -> OutboxRow:
    return OutboxRow(id, message, channel, attempts, not_before, "pending")


def over(name: str = "nginx", severity: Severity = Severity.WARNING) -> Message:
    return a_message("alr-over", kind=MessageKind.RESOLVED, name=name, severity=severity)


def warning(id: str = "alr-warn", name: str = "nginx", rule: str = "") -> Message:
    return a_message(id, severity=Severity.WARNING, name=name, rule=rule)


def test_what_recovered_before_anybody_was_told_is_not_told() -> None:
    choice = choose([a_row(1, warning()), a_row(2, over())], 1.0, POLICY, Known())

    assert choice.send == []
    assert [row.id for row, _ in choice.superseded] == [1, 2]


def test_a_pressing_trigger_leaves_a_trace_even_if_it_is_over() -> None:
    critical = a_message(severity=Severity.CRITICAL)
    choice = choose([a_row(1, critical), a_row(2, over(severity=Severity.CRITICAL))], 1.0, POLICY, Known())

    assert [rows[0].id for rows in choice.send] == [2]


@pytest.mark.parametrize(
    ("group_by", "mails"),
    [
        ({"host", "rule"}, [[1, 3], [2]]),
        ({"target"}, [[1, 2], [3]]),
        ({"rule", "target"}, [[1], [2], [3]]),
        ({"agent"}, [[1, 2, 3]]),
        ({"host"}, [[1, 2, 3]]),
    ],
)
def test_a_mail_gathers_what_has_in_common_what_is_asked_for(group_by: set[str], mails: list[list[int]]) -> None:
    told = [warning("alr-1", "a", "disk"), warning("alr-2", "a", "web"), warning("alr-3", "b", "disk")]
    policy = replace(POLICY, group_by=frozenset(group_by))
    choice = choose([a_row(number, message) for number, message in enumerate(told, 1)], 1.0, policy, Known())

    assert [[row.id for row in rows] for rows in choice.send] == mails
    pages = choose([a_row(number, message, "pagerduty") for number, message in enumerate(told, 1)], 1.0, policy, Known())
    assert len(pages.send) == 3


def test_a_trigger_that_may_have_arrived_is_followed_by_its_resolve_and_never_sent_after_it() -> None:
    rows = [a_row(1, warning(), "pagerduty", attempts=3, not_before=99.0), a_row(2, over(), "pagerduty")]
    choice = choose(rows, 1.0, POLICY, Known())

    assert [[row.id for row in rows] for rows in choice.send] == [[2]]
    assert [row.id for row, _ in choice.superseded] == [1]


def test_an_open_page_is_resolved_although_its_update_was_not_sent() -> None:
    rows = [a_row(1, warning(), "pagerduty"), a_row(2, over(), "pagerduty")]

    assert choose(rows, 1.0, POLICY, Known()).send == []
    known = Known(open_pages={warning().dedup_key})
    assert [[row.id for row in sent] for sent in choose(rows, 1.0, POLICY, known).send] == [[2]]


def test_a_later_step_is_dropped_when_a_person_has_it_or_it_is_over() -> None:
    policy = replace(
        POLICY,
        routes=(Route(("email",)),),
        escalation=(EscalationStep(1800, ("email:managers",), StepCondition.NOT_ACKNOWLEDGED),),
    )
    step = a_row(1, a_message(), "email:managers", not_before=1800.0)

    assert choose([step], 1800.0, policy, Known(acknowledged={"inc-4k2p7m"})).send == []
    assert choose([step], 1800.0, policy, Known()).send == [(step,)]
    critical_over = a_row(2, over(severity=Severity.CRITICAL), "email:managers")
    assert choose([step, critical_over], 600.0, policy, Known()).send == []


def test_mails_of_one_rule_go_together_with_those_about_to_follow() -> None:
    rows = [
        a_row(1, warning("alr-1", "a", "disk")),
        a_row(2, warning("alr-2", "b", "disk"), not_before=20.0),
        a_row(3, warning("alr-3", "c", "cpu")),
        a_row(4, warning("alr-4", "d", "disk"), not_before=5000.0),
        a_row(5, warning("alr-5", "e", "disk"), "pagerduty"),
    ]
    choice = choose(rows, 1.0, POLICY, Known())

    assert sorted([row.id for row in rows] for rows in choice.send) == [[1, 2], [3], [5]]


def about(message: Message, *things: str) -> Message:
    return replace(message, facts={**message.facts, "together": list(things)})


def test_mails_about_the_same_thing_go_together_whatever_their_rules_but_what_is_pressing_goes_alone() -> None:
    rows = [
        a_row(1, about(warning("alr-1", "a", "guessing"), "address 203.0.113.5", "user bob")),
        a_row(2, about(warning("alr-2", "b", "attacks"), "address 203.0.113.5"), not_before=20.0),
        a_row(3, about(warning("alr-3", "c", "other"), "address 198.51.100.7")),
        a_row(4, about(a_message("alr-4", name="d", rule="guessed"), "address 203.0.113.5")),
        a_row(5, about(warning("alr-5", "e", "attacks"), "address 203.0.113.5"), "email:night"),
    ]
    choice = choose(rows, 1.0, POLICY, Known())

    assert sorted([row.id for row in rows] for rows in choice.send) == [[1, 2], [3], [4], [5]]


kinds = st.sampled_from([MessageKind.FIRING, MessageKind.RESOLVED])


@given(
    st.lists(
        st.tuples(
            kinds, st.sampled_from("ab"), st.sampled_from(["email", "pagerduty"]), st.integers(0, 2), st.floats(0, 20)
        ),
        max_size=12,
    ),
    st.floats(0, 25),
    st.booleans(),
)
def test_at_most_the_newest_of_each_key_is_sent_and_no_row_is_both_sent_and_dropped(
    given_rows: list[tuple[MessageKind, str, str, int, float]], now: float, open_page: bool
) -> None:
    rows = [
        a_row(number, a_message(f"alr-{number}", kind=kind, name=name), channel, attempts=attempts, not_before=not_before)
        for number, (kind, name, channel, attempts, not_before) in enumerate(given_rows)
    ]
    known = Known(open_pages={row.message.dedup_key for row in rows} if open_page else ())
    choice = choose(rows, now, POLICY, known)

    sent = [row for bundle in choice.send for row in bundle]
    dropped = [row for row, _ in choice.superseded]
    assert not {row.id for row in sent} & {row.id for row in dropped}
    for row in sent:
        assert all(other.id <= row.id for other in rows if _same(other, row))
    for row in dropped:
        newer = [other for other in rows if _same(other, row) and other.id > row.id]
        assert newer or row.message.kind is MessageKind.RESOLVED
    if open_page:
        for row in rows:
            alone = not any(_same(other, row) and other.id > row.id for other in rows)
            ripe = any(_same(other, row) and other.not_before <= now for other in rows)
            if alone and ripe and row.channel == "pagerduty" and row.message.kind is MessageKind.RESOLVED:
                assert row in sent


def _same(one: OutboxRow, other: OutboxRow) -> bool:
    return (one.channel, one.message.dedup_key) == (other.channel, other.message.dedup_key)
