"""Rules as they are used: what they are called, whose lines they are about, and which of these they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma import conditions
from zen_agents.logs.sigma.refused import SigmaRefusedError
from zen_agents.logs.sigma.selections import selection
from zen_agents.logs.sigma.sources import Source, source_of

#: Severities of Sigma, and ours.
_SEVERITIES: Final[Mapping[str, str]] = {
    "informational": "info", "low": "info", "medium": "warning", "high": "error", "critical": "critical",
}  # fmt: skip
_SPAN = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
#: The old way to count, which a correlation has replaced: `selection | count() by host > 5`.
_COUNT = re.compile(r"\s*count\(\s*\)\s*(?:by\s+(?P<by>[\w.-]+)\s*)?(?P<sign>>=?)\s*(?P<number>[0-9]{1,6})\s*")
#: A rule has at most so many selections.
_MOST_SELECTIONS: Final = 128
_LONGEST_TITLE: Final = 200


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
    count: CountRule | None = None

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
    plain = [_rule(document) for document in documents if not _is_correlation(document)]
    counted: list[SigmaRule] = []
    alone = list(plain)
    for document in documents:
        if _is_correlation(document):
            base = _called(document, plain)
            counted.append(_correlated(document, base))
            if base in alone and document["correlation"].get("generate") is not True:
                alone.remove(base)
    return [*alone, *counted]


def _is_correlation(document: Any) -> bool:
    return isinstance(document, Mapping) and "correlation" in document


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


def _made(document: Mapping[Any, Any], source: Source, test: conditions.Test, count: CountRule | None) -> SigmaRule:
    level = str(document.get("level", "medium"))
    if level not in _SEVERITIES:
        raise SigmaRefusedError("level", f"{level!r} is none of {', '.join(_SEVERITIES)}")
    title, number, name = (str(document.get(key, "") or "")[:_LONGEST_TITLE] for key in ("title", "id", "name"))
    return SigmaRule(title, number, name, _SEVERITIES[level], source, test, count)


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


def _called(document: Mapping[Any, Any], rules: Sequence[SigmaRule]) -> SigmaRule:
    """Return the one rule that a correlation counts."""
    said = document["correlation"]
    if not isinstance(said, Mapping) or said.get("type") != "event_count":
        kind = said.get("type") if isinstance(said, Mapping) else None
        raise SigmaRefusedError("correlation.type", f"{kind!r} is not understood here; event_count is")
    calls = said.get("rules")
    names = calls if isinstance(calls, list) else [calls]
    meant = [rule for rule in rules if rule.name in names or (rule.id and rule.id in names)]
    if len(meant) != 1 or len(names) != 1:
        raise SigmaRefusedError("correlation.rules", "has to call one rule of the same file")
    return meant[0]


def _correlated(document: Mapping[Any, Any], base: SigmaRule) -> SigmaRule:
    said = document["correlation"]
    condition = said.get("condition")
    if not isinstance(condition, Mapping) or len(condition) != 1 or not {"gte", "gt"} & set(condition):
        raise SigmaRefusedError("correlation.condition", "only gt and gte are understood here")
    ((sign, number),) = condition.items()
    if isinstance(number, bool) or not isinstance(number, int):
        raise SigmaRefusedError("correlation.condition", f"{number!r} is no number of lines")
    by = said.get("group-by") or []
    fields = [_ours(str(name), base.source, "correlation.group-by") for name in (by if isinstance(by, list) else [by])]
    count = _counting(number + (sign == "gt"), _span(said.get("timespan"), "correlation.timespan"), fields)
    return _made(document, base.source, base.test, count)


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


def _counting(number: int, within: float, by: Sequence[str]) -> CountRule:
    try:
        return CountRule(number, within, tuple(by))
    except ValueError as error:
        raise SigmaRefusedError("condition", str(error)) from error
