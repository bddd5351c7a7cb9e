"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chaos.report import words
from chaos.report.commands import command_of, command_of_all
from chaos.report.contents import RIGHT_ANSWERS, Contents
from chaos.result import Outcome, Result


def markdown(report: Contents) -> str:
    """Return the whole report; what scenarios and contenders say is shown as they say it and is never markup."""
    parts = ["# Faults and what became of them", _about(report), "## Score card", _card(report)]
    if report.compared:
        parts += ["## Against Monit", _compared(report)]
    parts += ["## Every scenario", _scenarios(report)]
    if report.varied:
        parts += ["## When something else goes wrong as well", _variants(report)]
    if report.reached:
        parts += ["## Tried again and again", _table(words.REACHED_HEADS, words.reached_rows(report.reached))]
    parts += ["## What was not as expected", _failures(report)]
    return "\n\n".join(parts) + "\n"


def _about(report: Contents) -> str:
    facts = _table(["", ""], ([name, value] for name, value in report.machine.items()))
    return f"{len(report.results)} runs, written {report.written_at}.\n\n{facts}"


def _card(report: Contents) -> str:
    heads = ["", *(card.engine for card in report.cards)]
    table = _table(heads, ([name, *cells] for name, cells in words.card_rows(report.cards)))
    return f"{table}\n\n{_code(command_of_all(report.plain))}" if report.plain else table


def _compared(report: Contents) -> str:
    said = words.times_faster(report.compared, report.asking, report.at_least)
    rows = words.comparison_rows(report.compared, report.asking, report.at_least)
    command = command_of_all([result for result in report.plain if result.engine in ("zen", "monit")])
    return f"{said}\n\n{_table(words.COMPARISON_HEADS, rows)}\n\n{_code(command)}"


def _scenarios(report: Contents) -> str:
    engines = [card.engine for card in report.cards]
    rows = (
        [name, report.title(name), *(_cell(by_engine.get(engine, ())) for engine in engines)]
        for name, by_engine in report.grouped().items()
    )
    return _table(["scenario", "what goes wrong", *engines], rows)


def _cell(results: Sequence[Result]) -> str:
    outcomes = dict.fromkeys(words.OUTCOMES[result.outcome] for result in results)
    return ", ".join(outcomes) or words.NOTHING


def _variants(report: Contents) -> str:
    rows = (
        [result.scenario, result.variant, words.OUTCOMES[result.outcome], RIGHT_ANSWERS.get(result.variant, "")]
        for result in report.varied
    )
    return f"{_table(['scenario', 'meanwhile', 'was', 'right is'], rows)}\n\n{_code(command_of_all(report.varied))}"


def _failures(report: Contents) -> str:
    bad = [result for result in report.results if result.outcome in (Outcome.FAILED, Outcome.BROKEN)]
    return "\n\n".join(
        f"### {_text(result.scenario)} with {_text(result.engine)} {_text(result.variant)}".rstrip()
        + "\n\n" + "\n".join(f"- {_text(sentence)}" for sentence in result.because) + f"\n\n{_code(command_of(result))}"
        for result in bad
    ) or "Nothing."  # fmt: skip


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    return f"```sh\n{text}\n```"


def _text(said: str) -> str:
    """Return a text that stays one line, one cell and no markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&~])", r"\\\1", " ".join(said.split()))
