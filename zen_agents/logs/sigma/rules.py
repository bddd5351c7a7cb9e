"""Rules as they are used: what they are called, whose lines they are about, and which of these they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import STEP, DistinctRule
from zen_agents.logs.detection.sequence import MOST_STEPS, SequenceRule
from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma import conditions
from zen_agents.logs.sigma.refused import SigmaRefusedError
from zen_agents.logs.sigma.selections import selection
from zen_agents.logs.sigma.sources import Source, source_of

#: Severities of Sigma, and ours.
_SEVERITIES: Final[Mapping[str, str]] = {
    "informational": "info", "low": "info", "medium": "warning", "high": "error", "critical": "critical",
}  # fmt: skip
#: Correlations of lines of several rules.
_OF_SEVERAL: Final = frozenset({"temporal", "temporal_ordered"})
_SPAN = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
#: The old way to count, which a correlation has replaced: `selection | count() by host > 5`.
_COUNT = re.compile(r"\s*count\(\s*\)\s*(?:by\s+(?P<by>[\w.-]+)\s*)?(?P<sign>>=?)\s*(?P<number>[0-9]{1,6})\s*")
#: A rule has at most so many selections.
_MOST_SELECTIONS: Final = 128
_LONGEST_TITLE: Final = 200
#: More words than this are no help to find lines by.
_MOST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class SigmaRule:
    """One rule, compiled. What it says of itself is untrusted text."""

    title: str
    id: str
    #: `name:` by which a correlation calls it, "" without.
    name: str
    #: `info`, `warning`, `error` or `critical`.
    severity: str
    source: Source
    test: conditions.Test
    #: How many lines, within which time and by which fields; None: each line counts by itself.
    count: CountRule | DistinctRule | None = None
    #: Lines of all of these rules: with `order` one after another, or else in any order, as `count` says.
    steps: Sequence[SigmaRule] = ()
    order: SequenceRule | None = None
    #: What it was compiled from; of a correlation that counts, the rule that it counts.
    written: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """An expression that every line holds which it means, to find them by; "" if none is known."""
        words = self.test.words or ()
        return f"(?i:{'|'.join(map(re.escape, sorted(words)))})" if 0 < len(words) <= _MOST_WORDS else ""

    def means(self, record: LogRecord) -> bool:
        """Tell whether a line is one that the rule is about and means. Takes time linear in the line's length."""
        return self.source.has(record) and self.test(record)


def rules_of(documents: Sequence[Any]) -> Sequence[SigmaRule]:
    """Return the rules of one file: its documents as a YAML reader gives them, correlations among them.

    A rule that only a correlation calls is not one of them, unless the correlation says `generate: true`.

    Raises:
        SigmaRefusedError: one of them cannot be compiled; its place says what of it.
    """
    if not documents:
        raise SigmaRefusedError("file", "has no rule")
    plain = [_rule(document) for document in documents if not is_correlation(document)]
    correlated: list[SigmaRule] = []
    alone = list(plain)
    for document in documents:
        if is_correlation(document):
            called = _called(document, plain)
            correlated.append(_correlated(document, called))
            if document["correlation"].get("generate") is not True:
                alone = [rule for rule in alone if rule not in called]
    return [*alone, *correlated]


def is_correlation(document: Any) -> bool:
    """Tell whether a document counts or orders lines of other rules."""
    return isinstance(document, Mapping) and "correlation" in document


def called_by(document: Mapping[str, Any]) -> Sequence[str]:
    """Return the names, or ids, of the rules that a correlation calls."""
    said = document.get("correlation")
    calls = said.get("rules") if isinstance(said, Mapping) else None
    return [str(name) for name in (calls if isinstance(calls, list) else [calls]) if name is not None]


def _rule(document: Any) -> SigmaRule:
    if not isinstance(document, Mapping) or not isinstance(document.get("title"), str):
        raise SigmaRefusedError("title", "is missing: this is no Sigma rule")
    detection = document.get("detection")
    if not isinstance(detection, Mapping):
        raise SigmaRefusedError("detection", "is missing")
    source = source_of(document.get("logsource"))
    named = {str(name): wanted for name, wanted in detection.items() if name not in {"condition", "timeframe"}}
    if len(named) > _MOST_SELECTIONS:
        raise SigmaRefusedError("detection", f"has more than {_MOST_SELECTIONS} selections")
    tests = {name: selection(name, wanted, source) for name, wanted in named.items()}
    said = detection.get("condition")
    asked = said if isinstance(said, list) else [said]
    written = [each for each in asked if isinstance(each, str)]
    if not written or len(written) < len(asked):
        raise SigmaRefusedError("detection.condition", "is missing")
    count = _aggregation(written, detection.get("timeframe"), source)
    test = conditions.any_of([conditions.compiled(each.partition("|")[0], tests) for each in written])
    return _made(document, source, test, count)


def _made(
    document: Mapping[Any, Any], source: Source, test: conditions.Test, count: CountRule | DistinctRule | None, *,
    written: Mapping[Any, Any] | None = None, steps: Sequence[SigmaRule] = (), order: SequenceRule | None = None,
) -> SigmaRule:  # fmt: skip
    level = str(document.get("level", "medium"))
    if level not in _SEVERITIES:
        raise SigmaRefusedError("level", f"{level!r} is none of {', '.join(_SEVERITIES)}")
    title, number, name = (str(document.get(key, "") or "")[:_LONGEST_TITLE] for key in ("title", "id", "name"))
    said = document if written is None else written
    return SigmaRule(title, number, name, _SEVERITIES[level], source, test, count, steps, order, said)


def _aggregation(written: Sequence[str], timeframe: Any, source: Source) -> CountRule | None:
    parts = [after for _, bar, after in (each.partition("|") for each in written) if bar]
    if not parts:
        return None
    found = _COUNT.fullmatch(parts[0])
    if found is None or len(written) > 1:
        raise SigmaRefusedError(
            "detection.condition", f"only `count() [by FIELD] > N` is understood behind |, not{parts[0]}"
        )
    number = int(found["number"]) + (found["sign"] == ">")
    by = (_ours(found["by"], source, "detection.condition"),) if found["by"] else ()
    return _counting(number, _span(timeframe, "detection.timeframe"), by)


def _called(document: Mapping[Any, Any], rules: Sequence[SigmaRule]) -> Sequence[SigmaRule]:
    """Return the rules that a correlation counts or orders, in its order."""
    said = document["correlation"]
    kind = said.get("type") if isinstance(said, Mapping) else None
    if kind not in {"event_count", "value_count", *_OF_SEVERAL}:
        known = "event_count, value_count, temporal and temporal_ordered are"
        raise SigmaRefusedError("correlation.type", f"{kind!r} is not understood here; {known}")
    names = called_by(document)
    meant = [next((rule for rule in rules if name in (rule.name, rule.id)), None) for name in names]
    found = [rule for rule in meant if rule is not None]
    if len(found) < len(names) or not names:
        raise SigmaRefusedError("correlation.rules", "calls a rule that is not there")
    if kind not in _OF_SEVERAL and len(found) != 1:
        raise SigmaRefusedError("correlation.rules", "has to call one rule: lines of several cannot be counted together")
    if kind in _OF_SEVERAL and not 2 <= len(found) <= MOST_STEPS:
        raise SigmaRefusedError("correlation.rules", f"has to call 2 to {MOST_STEPS} rules")
    return found


def _correlated(document: Mapping[Any, Any], called: Sequence[SigmaRule]) -> SigmaRule:
    said = document["correlation"]
    if said["type"] in _OF_SEVERAL:
        return _of_several(document, called)
    (base,) = called
    condition = said.get("condition")
    asked = dict(condition) if isinstance(condition, Mapping) else {}
    field_of = asked.pop("field", None) if said["type"] == "value_count" else None
    if len(asked) != 1 or not {"gte", "gt"} & set(asked):
        raise SigmaRefusedError("correlation.condition", "only gt and gte are understood here")
    ((sign, number),) = asked.items()
    if isinstance(number, bool) or not isinstance(number, int):
        raise SigmaRefusedError("correlation.condition", f"{number!r} is no number of lines")
    within, by = _span(said.get("timespan"), "correlation.timespan"), _grouped(said, base.source)
    least = number + (sign == "gt")
    count: CountRule | DistinctRule = _counting(least, within, by)
    if said["type"] == "value_count":
        count = _different(_ours(str(field_of), base.source, "correlation.condition.field"), least, within, by)
    return _made(document, base.source, base.test, count, written=base.written)


def _of_several(document: Mapping[Any, Any], called: Sequence[SigmaRule]) -> SigmaRule:
    """Return a rule of lines of several rules, in order or not, with the same values of the fields that it groups by."""
    said = document["correlation"]
    if any(rule.count is not None for rule in called):
        raise SigmaRefusedError("correlation.rules", "calls a rule that counts, which cannot be a step")
    by = {_grouped(said, rule.source) for rule in called}
    if len(by) != 1 or said.get("aliases"):
        raise SigmaRefusedError("correlation.group-by", "names what lines of these rules have in different fields")
    fields, within = by.pop(), _span(said.get("timespan"), "correlation.timespan")
    is_ordered = said["type"] == "temporal_ordered"
    order = SequenceRule(len(called), within, fields) if is_ordered else None
    count = None if is_ordered else _different(STEP, len(called), within, fields)
    test = conditions.any_of([conditions.Test(rule.means) for rule in called])
    return _made(document, called[0].source, test, count, steps=tuple(called), order=order)


def _grouped(said: Mapping[Any, Any], source: Source) -> tuple[str, ...]:
    by = said.get("group-by") or []
    return tuple(_ours(str(name), source, "correlation.group-by") for name in (by if isinstance(by, list) else [by]))


def _ours(name: str, source: Source, place: str) -> str:
    ours = source.fields.get(name.lower())
    if ours is None or "." in ours[0]:
        raise SigmaRefusedError(place, f"lines of {source.name} cannot be counted by {name!r}")
    return ours[0]


def _span(text: Any, place: str) -> float:
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise SigmaRefusedError(place, f"{text!r} is no time like 5m")
    return float(int(found[1]) * _SECONDS[found[2]])


def _different(distinct: str, number: int, within: float, by: Sequence[str]) -> DistinctRule:
    try:
        return DistinctRule(distinct, number, within, tuple(by))
    except ValueError as error:
        raise SigmaRefusedError("condition", str(error)) from error


def _counting(number: int, within: float, by: Sequence[str]) -> CountRule:
    try:
        return CountRule(number, within, tuple(by))
    except ValueError as error:
        raise SigmaRefusedError("condition", str(error)) from error
