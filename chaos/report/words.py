"""How figures read, the same in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chaos.report.card import Comparison, EngineCard, Spread, median_ratio
from chaos.result import Outcome

NOTHING = "-"

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


def times_faster(compared: Sequence[Comparison], asking: Collection[str]) -> str:
    """Return one sentence: the median of all, and that of those where no person has to agree before this engine acts."""
    both = [each for each in compared if each.ratio is not None]
    alone = [each for each in both if each.scenario not in asking]
    times = ratio(median_ratio(both))
    said = f"In the median of the {len(both)} scenarios that both repair, zen-agents is {times} as fast as Monit"
    if len(alone) == len(both):
        return f"{said} at its shortest cycle."
    return (
        f"{said} at its shortest cycle; in that of the {len(alone)} in which nobody has to agree first, "
        f"{ratio(median_ratio(alone))}. Monit asks nobody."
    )


def comparison_rows(compared: Sequence[Comparison], asking: Collection[str]) -> list[list[str]]:
    """Return the rows of the comparison: scenario, this engine's time, Monit's, how many times faster."""
    return [
        [
            f"{each.scenario} (a person agrees first)" if each.scenario in asking else each.scenario,
            seconds(each.ours) if each.ours else each.why_not_ours,
            seconds(each.theirs) if each.theirs else each.why_not_theirs,
            ratio(each.ratio),
        ]
        for each in compared
    ]


def card_rows(cards: Sequence[EngineCard]) -> list[tuple[str, list[str]]]:
    """Return the rows of the score card, each with one cell for each contender."""
    return [
        ("repaired, of all that was to be repaired", [_share(card) for card in cards]),
        ("right in all, of its runs", [f"{card.outcomes.get(Outcome.PASSED, 0)} of {card.runs}" for card in cards]),
        ("time to repair, seen from outside (p50 / p95)", [times(card.seen_repaired) for card in cards]),
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
