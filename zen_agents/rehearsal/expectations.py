"""Holds what came of a rule test against what was expected, and what a test names against what there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from zen_agents import catalog
from zen_agents.agents.base import BaseAgent
from zen_agents.dataclass import dataclass
from zen_agents.rehearsal.facts import keys_of
from zen_agents.rehearsal.rule_tests import Expectation, RuleTest, Written
from zen_agents.rehearsal.trial import Event
from zen_agents.settings.diagnostics import Diagnostic, Report
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Place

#: Two moments that are closer are the same (seconds).
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that was not met, or one action that nobody expected."""

    place: Place
    expected: str
    got: str
    #: The rule to look at; "" if none is named.
    rule: str = ""

    def __str__(self) -> str:
        """Return it as one line, place first."""
        return f"{self.place.short}: {self.expected}, got {self.got}"


def judge(test: RuleTest, index: int, written: Written, events: Sequence[Event]) -> Sequence[Failure]:
    """Return what is not as the test expects, in its order; () if all is."""
    every = test.sample_every.total_seconds()
    failures = []
    for number, wanted in enumerate(test.expect):
        seen = _candidates(wanted, events, every)
        if not any(_matches(wanted, event) for event in seen) and not _is_the_none_that_was_wanted(wanted, seen):
            place = written.place("tests", index, "expect", number, "at")
            got = _said(seen[-1]) if seen else "nothing"
            if (other := next((event for event in events if _matches(wanted, event)), None)) is not None:
                got += f"; it came at {_clock(other.at)}"
            failures.append(
                Failure(place, f"at {_clock(wanted.at.total_seconds())} expected {_wanted(wanted)}", got, _rule(wanted))
            )
    failures += _answers_not_as_written(test, index, written, events)
    if test.expect_only:
        place = written.place("tests", index, "expect_only")
        failures += [
            Failure(place, f"at {_clock(event.at)} no action was expected", _said(event), event.rule)
            for event in _unexpected(test, events, every)
        ]
    return failures


def _answers_not_as_written(test: RuleTest, index: int, written: Written, events: Iterable[Event]) -> Iterator[Failure]:
    """Yield each answer that did not count, and each that should not have: a test must not pass for another reason."""
    for event in events:
        if event.kind == "answer" and bool(event.detail) != (answer := test.approvals[event.number]).refused:
            wanted = "be refused" if answer.refused else "count"
            place = written.place("tests", index, "approvals", event.number, "at")
            expected = f"at {_clock(event.at)} expected {answer.by}'s {answer.decision} to {wanted}"
            yield Failure(place, expected, event.detail or "it counted", event.rule)


def _unexpected(test: RuleTest, events: Iterable[Event], every: float) -> Iterator[Event]:
    acts = [wanted for wanted in test.expect if wanted.outcome == "act"]
    for event in events:
        if event.kind == "action" and not any(
            _matches(wanted, event) and _within(event.at, wanted.at.total_seconds(), every) for wanted in acts
        ):
            yield event


def _candidates(wanted: Expectation, events: Sequence[Event], every: float) -> Sequence[Event]:
    """Return what may meet it: what happened within one sample from then, and what still held at that moment.

    An action and a message are moments; a decision, and the state of an incident or a question, hold until the next.
    """
    kind, at = _kind(wanted), wanted.at.total_seconds()
    rule = _rule(wanted)
    about = [event for event in events if event.kind == kind and rule in ("", event.rule)]
    found = [event for event in about if _within(event.at, at, every)]
    if kind in ("decision", "incident", "approval"):
        before = [event for event in about if event.at < at + _SAME]
        found = [*before[-1:], *(event for event in found if event not in before[-1:])]
    elif kind == "action" and not found:
        # What was decided instead says more than that nothing was done.
        instead = [event for event in events if event.kind == "decision" and event.rule == rule and event.at < at + every]
        return [event for event in instead[-1:] if event.word != "act"]
    return found


def _is_the_none_that_was_wanted(wanted: Expectation, seen: Sequence[Event]) -> bool:
    return wanted.state == "none" and not seen


def _within(moment: float, at: float, every: float) -> bool:
    return at - _SAME <= moment < at + every - _SAME


def _matches(wanted: Expectation, event: Event) -> bool:
    word = wanted.outcome or wanted.alert or wanted.state
    if event.kind != _kind(wanted) or (word is not None and str(word) != event.word):
        return False
    if wanted.target is not None and wanted.target != event.target and wanted.target not in event.touches:
        return False
    pairs = ((wanted.reason, event.reason), (wanted.action, event.action), (wanted.severity, event.severity))
    return all(expected is None or (event.kind == "action" and not got) or str(expected) == got for expected, got in pairs)


def _kind(wanted: Expectation) -> str:
    if wanted.decision is not None:
        return "action" if wanted.outcome == "act" else "decision"
    if wanted.approval is not None:
        return "approval"
    return "alert" if wanted.alert is not None else "incident"


def _rule(wanted: Expectation) -> str:
    return wanted.decision or wanted.incident or wanted.approval or wanted.rule or ""


def _wanted(wanted: Expectation) -> str:
    named = [str(word) for word in (wanted.reason, wanted.action, wanted.severity, wanted.target) if word is not None]
    word = str(wanted.outcome or wanted.alert or wanted.state)
    return f"{word}({', '.join(named)})" if named else word


def _said(event: Event) -> str:
    named = ", ".join(filter(None, (event.reason, event.action, event.severity, event.target)))
    detail = f": {event.detail}" if event.detail and event.kind != "action" else ""
    return f"{event.word}({named}{detail}) at {_clock(event.at)}"


def _clock(seconds: float) -> str:
    """Return a time since the start as a test writes it, to a tenth of a second: `1h3m`, `4m4.1s`."""
    hours, rest = divmod(round(seconds, 1), 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{hours:g}h" if hours else "", f"{minutes:g}m" if minutes else "", f"{rest:.3g}s" if rest else ""]
    return "".join(parts) or "0s"


def line_of(event: Event) -> str:
    """Return what happened as one line of a test's course."""
    return f"{_clock(event.at):>9}  {event.kind:8} {event.rule or '-'}  {_said(event).rpartition(' at ')[0]}"


def course(failure: Failure, events: Sequence[Event]) -> list[str]:
    """Return expected and got as a diff: the rule's whole course, with what was missing or too much marked."""
    lines = [f"- {failure.expected}"]
    return lines + [f"+ {line_of(event)}" for event in events if failure.rule in ("", event.rule)]


def crosscheck(written: Written, agents: Sequence[BaseAgent]) -> Sequence[Diagnostic]:
    """Return what a file names that its configuration does not have: a test of nothing would pass for ever."""
    report, names = Report(), _Names(agents)
    for index, test in enumerate(written.file.tests):
        for key in test.inputs:
            if key not in names.inputs:
                _unknown(report, "no check observes", key, names.inputs, written.place("tests", index, "inputs", key))
        for action in test.action_results:
            if action not in names.actions:
                _unknown(report, "there is no action", action, names.actions,
                         written.place("tests", index, "action_results", action))  # fmt: skip
        for number, wanted in enumerate(test.expect):
            for key in ("decision", "incident", "approval", "rule", "action"):
                known: Iterable[str] = names.actions if key == "action" else names.rules
                name = getattr(wanted, key)
                if name is not None and name not in known:
                    what = "there is no action" if key == "action" else "there is no rule"
                    _unknown(report, what, name, known, written.place("tests", index, "expect", number, key))
        for number, answer in enumerate(test.approvals):
            if answer.rule is not None and answer.rule not in names.rules:
                place = written.place("tests", index, "approvals", number, "rule")
                _unknown(report, "there is no rule", answer.rule, names.rules, place)
    return report.sorted()


class _Names:
    """Everything that a test of a configuration can speak of."""

    def __init__(self, agents: Sequence[BaseAgent]) -> None:
        seen = [(name, check.target) for agent in agents for check in agent.checks() for name in check.observes]
        self.inputs: Mapping[str, None] = dict.fromkeys(key for name, target in seen for key in keys_of(name, target))
        self.rules = frozenset(rule.name for agent in agents for rule in agent.rules())
        self.actions = frozenset(catalog.ACTIONS)


def _unknown(report: Report, what: str, name: str, known: Iterable[str], place: Place) -> None:
    suggest = nearest(name, known)
    report.error("ZC303", f"{what} `{name}` in this configuration", place, label=did_you_mean(suggest), replacement=suggest)
