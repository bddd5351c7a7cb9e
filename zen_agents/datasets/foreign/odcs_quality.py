"""`quality:` of the Open Data Contract Standard: metrics of its library as questions with a tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zen_agents.datasets.contract import Tolerance
from zen_agents.datasets.foreign.descriptor import Part, RefusedContractError, meant
from zen_agents.datasets.foreign.forms import anywhere
from zen_agents.datasets.foreign.translation import Draft
from zen_agents.datasets.questions import Matches, NoneOf, NotNull, OneOf, Question, RowCount, Unique
from zen_agents.model.severity import Severity

_OPERATORS: Final = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
    "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip
_OF_PROPERTY: Final = ("nullValues", "duplicateValues", "missingValues", "invalidValues")
_KNOWN: Final = frozenset(
    {"id", "name", "description", "type", "metric", "rule", "arguments", "unit", "dimension", "method", "severity",
     "businessImpact", "customProperties", "tags", "authoritativeDefinitions", *_OPERATORS}
)  # fmt: skip


def quality_of_property(quality: Part, column: str, draft: Draft) -> None:
    """Ask what these rules ask of one column."""
    for rule in quality.items():
        if (metric := _metric(rule, draft)) is None:
            continue
        asked = _asked_of_property(metric, rule, column, draft)
        for question in asked:
            _ask(question, rule, draft)


def quality_of_object(quality: Part, columns: Mapping[str, str], draft: Draft) -> None:
    """Ask what these rules ask of the whole table; `columns` has the name in the data of each property."""
    for rule in quality.items():
        metric = _metric(rule, draft)
        if metric == "rowCount":
            _row_count(rule, draft)
        elif metric == "duplicateValues":
            names = rule.get("arguments").get("properties").texts()
            _ask(Unique(tuple(columns.get(name, name) for name in names)), rule, draft)
        elif metric is not None:
            draft.remark(rule, f"the metric {metric!r} of a whole table is not asked")


def _metric(rule: Part, draft: Draft) -> str | None:
    """Return the metric of a rule of the library; None, with a remark, for rules that other engines run."""
    kind = rule.get("type").text("library")
    if kind != "library":
        draft.remark(rule, f"a rule of type {kind!r} is not run")
        return None
    draft.remark_others(rule, _KNOWN)
    metric = rule.get("metric").text() or rule.get("rule").text()
    return metric or rule.required("metric", "a rule of the library has a `metric`").text()


def _asked_of_property(metric: str, rule: Part, column: str, draft: Draft) -> list[Question]:
    arguments = rule.get("arguments")
    if metric == "nullValues":
        return [NotNull(column)]
    if metric == "duplicateValues":
        return [Unique((column,))]
    if metric == "missingValues":
        listed = [part.value for part in arguments.get("missingValues").items()]
        texts = tuple(part.scalar() for part in arguments.get("missingValues").items() if part.value is not None)
        # An empty text is read as a missing value.
        asked: list[Question] = [NotNull(column)] if None in listed or "" in listed else []
        return [*asked, NoneOf(column, texts)] if texts else asked
    if metric == "invalidValues":
        found: list[Question] = []
        if arguments.has("validValues"):
            # That nothing may stand there is said by a null among them; it is asked of nothing anyway.
            valid = [part for part in arguments.get("validValues").items() if part.value is not None]
            found.append(OneOf(column, tuple(part.scalar() for part in valid)))
        if arguments.has("pattern"):
            found.append(Matches(column, anywhere(arguments.get("pattern").text())))
        return found
    near = meant(metric, _OF_PROPERTY)
    draft.remark(rule, f"the metric {metric!r} is not asked" + (f"; did you mean `{near}`?" if near else ""))
    return []


def _ask(question: Question, rule: Part, draft: Draft) -> None:
    tolerance = _tolerance(rule)
    if tolerance is None:
        draft.remark(rule, "that rows must fail is not asked")
        return
    if isinstance(question, Unique) and tolerance != Tolerance():
        draft.remark(rule, "each row that has a twin is counted, not each value that comes twice")
    draft.ask(question, rule, tolerance=tolerance, severity=_severity(rule))


def _severity(rule: Part) -> Severity:
    word = rule.get("severity").text("error").lower()
    return Severity(word) if word in {each.value for each in Severity} else Severity.ERROR


def _operator(rule: Part) -> tuple[str, Part]:
    found = [key for key in _OPERATORS if rule.has(key)]
    if len(found) != 1:
        raise RefusedContractError(rule.at, f"a rule has one of {', '.join(_OPERATORS)}")
    return found[0], rule.get(found[0])


def _tolerance(rule: Part) -> Tolerance | None:
    """Return how many rows may fail; None where it is asked that some do."""
    operator, bound = _operator(rule)
    percent = rule.get("unit").text("rows") in ("percent", "%")
    if operator == "mustBeBetween":
        least, most = (part.number() for part in bound.items())
        return _allowed(most, percent=percent) if least <= 0 else None
    if operator in ("mustBe", "mustBeLessOrEqualTo"):
        most = bound.number()
        return _allowed(most, percent=percent) if operator != "mustBe" or most == 0 else None
    if operator == "mustBeLessThan":
        # So many, and not one more: a share of rows is told in whole rows anyway.
        return _allowed(bound.number() if percent else bound.number() - 1, percent=percent)
    return None


def _allowed(most: float, *, percent: bool) -> Tolerance:
    return Tolerance(share=most / 100) if percent else Tolerance(rows=max(0, int(most)))


def _row_count(rule: Part, draft: Draft) -> None:
    operator, bound = _operator(rule)
    if operator == "mustBeBetween":
        least, most = (int(part.number()) for part in bound.items())
        draft.ask(RowCount(least, most), rule, severity=_severity(rule))
        return
    if operator in ("mustNotBe", "mustNotBeBetween"):
        draft.remark(rule, "that there are not so many rows is not asked")
        return
    number = int(bound.number())
    questions: Mapping[str, RowCount] = {
        "mustBe": RowCount(number, number),
        "mustBeGreaterThan": RowCount(number + 1),
        "mustBeGreaterOrEqualTo": RowCount(number),
        "mustBeLessThan": RowCount(0, max(0, number - 1)),
        "mustBeLessOrEqualTo": RowCount(0, number),
    }
    draft.ask(questions[operator], rule, severity=_severity(rule))
