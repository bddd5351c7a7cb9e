"""The verdict on a soak, and the report that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from chaos.invariants import Violation
from chaos.soak.course import PATIENCE_SECONDS, Course
from chaos.soak.sampling import Sample, slope
from zen_agents.adapters.ledger_audit import Verification
from zen_agents.rules.window import MOST_SAMPLES

#: The goal: growth of the resident memory in MB for each day of host time.
MOST_MB_A_DAY = 1.0
#: What happens before this share of a run is warm-up and in no slope: caches fill, and the first of everything is imported.
#: So is what happens before the longest past of a measurement is full, which is bounded by its number of samples.
WARM_UP_SHARE = 1 / 3
#: A slope is only judged over at least so many samples after the warm-up; a shorter run shows no trend.
FEWEST_SAMPLES = 60
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the verdict; `met` is None for what is told and not judged."""

    what: str
    found: str
    goal: str
    met: bool | None


def judge(course: Course, ledger: Verification, violations: Sequence[Violation]) -> list[Judged]:
    """Return every line of the verdict."""
    late = [f"{name} ({why})" for name, why in sorted(course.overdue.items())]
    broken = f"{len(violations)}, the first: {violations[0]}" if violations else "none"
    return [
        *_growth(course),
        Judged("faults not repaired in time", "; ".join(late) or "none", f"none after {PATIENCE_SECONDS:g} s", not late),
        Judged("ledger", ledger.problem or f"{ledger.entries:,} entries verify", "verifies", ledger.ok),
        Judged("invariants broken", broken, "none", not violations),
    ]


def _growth(course: Course) -> list[Judged]:
    steady = warmed(course)
    if len(steady) < 2:
        return [Judged("memory and descriptors", "too few samples", "at least two after the warm-up", None)]
    enough = len(steady) >= FEWEST_SAMPLES
    per_day = slope(steady, lambda each: each.rss_kib / 1024) * _DAY_SECONDS / course.pace.speed
    grown = slope(steady, lambda each: each.descriptors) * (steady[-1].at - steady[0].at)
    threads = slope(steady, lambda each: each.threads) * (steady[-1].at - steady[0].at)
    return [
        Judged("memory slope", f"{per_day:+.2f} MB a day of host time", f"under {MOST_MB_A_DAY:g}",
               per_day < MOST_MB_A_DAY if enough else None),
        Judged("descriptors, by the slope over the run", f"{grown:+.2f}", "under 1", grown < 1 if enough else None),
        Judged("threads, by the slope over the run", f"{threads:+.2f}", "under 1", threads < 1 if enough else None),
    ]  # fmt: skip


def warmed(course: Course) -> Sequence[Sample]:
    """Return the samples after the warm-up."""
    pasts_are_full = course.pace.scaled(MOST_SAMPLES * course.pace.sample_seconds)
    begins = max(course.seconds * WARM_UP_SHARE, pasts_are_full)
    return [each for each in course.samples if each.at >= begins]


def markdown(course: Course, judged: Sequence[Judged], command: str) -> str:
    """Return the report; `command` is what makes it again."""
    days = course.pace.host_days(course.seconds)
    lines = [
        "# Soak",
        "",
        f"{course.seconds / 60:.1f} minutes at speed {course.pace.speed:g}: {days:.2f} days of host time. `{command}`",
        "",
        "| | found | goal | |",
        "|---|---|---|---|",
        *(f"| {each.what} | {each.found} | {each.goal} | {_word(each.met)} |" for each in judged),
        "",
        "| fault | injected | repaired | median s | longest s |",
        "|---|---|---|---|---|",
        *(_fault_line(course)),
        "",
        f"Messages that the pager took: {course.messages}; it was away half of the time.",
        "",
        *_range_lines(course.samples),
    ]
    return "\n".join(lines) + "\n"


def progress(course: Course) -> str:
    """Return the state of the run in one line."""
    last = course.samples[-1]
    return (
        f"{course.seconds / 60:6.1f} min  {sum(len(tally.repaired) for tally in course.tallies):5d} repaired  "
        f"RSS {last.rss_kib / 1024:5.1f} MB  {last.descriptors} descriptors  {last.threads} threads  "
        f"{last.children} children  store {last.store_bytes / 1e6:.1f} MB"
    )


def _word(met: bool | None) -> str:
    return "not judged: too short" if met is None else "met" if met else "MISSED"


def _fault_line(course: Course) -> list[str]:
    lines = []
    for tally in course.tallies:
        took = tally.repaired or [float("nan")]
        counts = f"| {tally.fault.name} | {tally.injected} | {len(tally.repaired)} "
        lines.append(f"{counts}| {median(took):.2f} | {max(took):.2f} |")
    return lines


def _range_lines(samples: Sequence[Sample]) -> list[str]:
    if not samples:
        return []
    first, last = samples[0], samples[-1]
    busy = (last.cpu_seconds - first.cpu_seconds) / max(1e-9, last.at - first.at)
    rows = (
        ("RSS, MB", [each.rss_kib / 1024 for each in samples]),
        ("descriptors", [each.descriptors for each in samples]),
        ("threads", [each.threads for each in samples]),
        ("children", [each.children for each in samples]),
        ("store, MB", [each.store_bytes / 1e6 for each in samples]),
    )
    table = [f"| {name} | {of[0]:.1f} | {min(of):.1f} | {max(of):.1f} | {of[-1]:.1f} |" for name, of in rows]
    return [
        "| sampled | first | least | most | last |", "|---|---|---|---|---|", *table, "",
        f"CPU: {100 * busy:.1f} % of a core at this speed. The store keeps for days what a run of minutes makes.",
    ]  # fmt: skip
