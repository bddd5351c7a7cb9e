"""How figures read, the same in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chaos.counts import Reached
from chaos.report.card import Comparison, EngineCard, Spread, Times, median_own_ratio, median_ratio
from chaos.result import Outcome
from chaos.scenario import Scenario

NOTHING = "-"
#: A longer cell (why somebody cannot) makes no column wider.
_WIDEST = 48

#: Of each outcome: what it is called where it is one of many.
OUTCOMES = {
    Outcome.PASSED: "right",
    Outcome.FAILED: "wrong",
    Outcome.WAITING: "waits for what is not built",
    Outcome.CANNOT: "cannot",
    Outcome.NOT_SHOWN: "not shown on a real host",
    Outcome.BROKEN: "not judged",
}


def seconds(value: float | None) -> str:
    """Return a time as `41 ms`, `1.24 s` or `3.1 min`."""
    if value is None:
        return NOTHING
    if value >= 100:
        return f"{value / 60:.1f} min"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def times(found: Spread | None) -> str:
    """Return the middle and the 95th percentile of times."""
    return NOTHING if found is None else f"{seconds(found.p50)} / {seconds(found.p95)}"


def ratio(value: float | None) -> str:
    """Return how many times faster."""
    return NOTHING if value is None else f"{value:.1f} x"


def times_faster(compared: Sequence[Comparison], asking: Collection[str], at_least: Mapping[str, str]) -> str:
    """Return what follows from all ratios: the median of all, of those that no wait bounds, and of each one's own time."""
    both = [each for each in compared if each.ratio is not None]
    alone = [each for each in both if each.scenario not in asking]
    unbound = [each for each in both if each.scenario not in at_least]
    times = ratio(median_ratio(both))
    said = f"In the median of the {len(both)} scenarios that both repair, zen-agents is {times} as fast as Monit"
    said += " at its shortest cycle"
    if len(alone) < len(both):
        said += f"; in that of the {len(alone)} in which nobody has to agree first, {ratio(median_ratio(alone))}"
    if len(unbound) < len(both):
        said += f"; in that of the {len(unbound)} that nothing but the two of them bounds, {ratio(median_ratio(unbound))}"
    own = ratio(median_own_ratio(both))
    asks = " Monit asks nobody." if len(alone) < len(both) else ""
    return f"{said}. Without what the fault takes to show, and a person to answer, {own}.{asks}"


COMPARISON_HEADS = (
    "scenario", "zen", "until it showed", "waiting for a person", "its own", "monit", "until it showed", "its own", "ratio",
    "ratio of their own", "whoever repairs it",
)  # fmt: skip


def comparison_rows(
    compared: Sequence[Comparison], asking: Collection[str], at_least: Mapping[str, str]
) -> list[list[str]]:  # fmt: skip
    """Return the rows of the comparison, as `COMPARISON_HEADS` names their cells."""
    return [
        [
            f"{each.scenario} (a person agrees first)" if each.scenario in asking else each.scenario,
            _whole(each.ours, each.why_not_ours),
            *(seconds(part or None) for part in _parts(each.ours, "shown", "waited", "own")),
            _whole(each.theirs, each.why_not_theirs),
            *(seconds(part or None) for part in _parts(each.theirs, "shown", "own")),
            ratio(each.ratio),
            ratio(each.own_ratio),
            at_least.get(each.scenario, NOTHING),
        ]
        for each in compared
    ]


def comparison_text(compared: Sequence[Comparison], scenarios: Mapping[str, Scenario]) -> str:
    """Return the comparison as a terminal shows it, and below it what follows."""
    asking = {name for name, scenario in scenarios.items() if scenario.asks_people}
    at_least = {name: scenario.at_least for name, scenario in scenarios.items() if scenario.at_least}
    rows = [[*COMPARISON_HEADS], *comparison_rows(compared, asking, at_least)]
    widths = [max(len(cell) for cell in column if len(cell) <= _WIDEST) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(["", *lines, "", times_faster(compared, asking, at_least)])


def _whole(found: Times | None, why_not: str) -> str:
    if found is None:
        return why_not
    return f"{seconds(found.whole)}, but: {found.harm}" if found.harm else seconds(found.whole)


def _parts(found: Times | None, *names: str) -> list[float]:
    return [0.0 if found is None else getattr(found, name) for name in names]


REACHED_HEADS = ("campaign", "reached", "of", "broken")


def reached_rows(reached: Sequence[Reached]) -> list[list[str]]:
    """Return the rows of what the long campaigns have reached."""
    return [
        [each.campaign, f"{each.count:,}", f"{each.goal:,}" if each.goal else NOTHING, str(each.broken)] for each in reached
    ]


def card_rows(cards: Sequence[EngineCard]) -> list[tuple[str, list[str]]]:
    """Return the rows of the score card, each with one cell for each contender."""
    return [
        ("repaired, of all that was to be repaired", [_share(card) for card in cards]),
        ("right in all, of its runs", [f"{card.outcomes.get(Outcome.PASSED, 0)} of {card.runs}" for card in cards]),
        ("time to repair, seen from outside (p50 / p95)", [times(card.seen_repaired) for card in cards]),
        ("of it until the fault showed (p50 / p95)", [times(card.shown) for card in cards]),
        ("of it waiting for a person (p50 / p95)", [times(card.waited) for card in cards]),
        ("time to repair without both (p50 / p95)", [times(card.own) for card in cards]),
        ("it says: detected (p50 / p95)", [times(card.detected) for card in cards]),
        ("it says: acted (p50 / p95)", [times(card.acted) for card in cards]),
        ("it says: verified (p50 / p95)", [times(card.verified) for card in cards]),
        ("unnecessary actions", [str(card.unnecessary) for card in cards]),
        ("harm done", [str(card.harmful) for card in cards]),
        ("messages to people, sent / needed", [f"{card.pages_sent} / {card.pages_needed}" for card in cards]),
        ("actions that claim an inverse", [f"{card.claims_inverse} of {card.actions}" for card in cards]),
        ("undo success", [_undone(card) for card in cards]),
        ("CPU time of a run (p50 / p95)", [times(card.cpu_seconds) for card in cards]),
        ("resident memory (p50 / p95)", [_memory(card.rss_kib) for card in cards]),
        *(
            (f"runs that are: {words}", [str(card.outcomes.get(outcome, 0)) for card in cards])
            for outcome, words in OUTCOMES.items()
            if outcome is not Outcome.PASSED and any(card.outcomes.get(outcome) for card in cards)
        ),
    ]


def _share(card: EngineCard) -> str:
    percent = card.repaired_percent
    return NOTHING if percent is None else f"{percent:.0f} % ({card.repaired} of {card.to_repair})"


def _undone(card: EngineCard) -> str:
    tried = card.tried_to_undo
    return f"{100 * card.undone / tried:.0f} % ({card.undone} of {tried})" if tried else NOTHING


def _memory(found: Spread | None) -> str:
    return NOTHING if found is None or not found.p95 else f"{found.p50 / 1024:.1f} / {found.p95 / 1024:.1f} MiB"
