"""`packages outdated`: what could be upgraded, how far each step goes, and what policy does of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_places import Seen, seen, tell_untold, untold_of
from zen_agents.cli.render import next_steps, plural, say, table
from zen_agents.model.package_look import Update

_OLD, _NOT_KNOWN = 1, 6
#: Flags that name a source.
_SOURCES: Final = ("osv", "debsecan", "exploited", "vex", "npm", "index", "wheels")
#: What policy does, in a person's words.
STANCES = {"do": "upgrades", "ask": "asks", "tell": "tells", "leave": "leaves"}


def outdated(call: Call) -> int:
    """Look, print, and say what could not be told; 1 if something is old, 6 if nothing is and not all could be told."""
    places = seen(call)
    rows = [(each, update) for each in places for update in each.known.updates]
    if call.output in ("jsonl", "name") or call.fields:
        data(call, "packages-outdated", [update_body(each, update) for each, update in rows])
    elif call.machine:
        data(call, "packages-outdated", {**sum_body(places), "items": [update_body(each, update) for each, update in rows]})
    else:
        _show(call, places, rows)
    tell_untold(places)
    if rows or any(each.known.yanked for each in places):
        return _OLD
    return _NOT_KNOWN if any(untold_of(each) for each in places) else 0


def update_body(place: Seen, update: Update) -> dict[str, Any]:
    """Return one possible step as plain JSON."""
    return {"name": update.package, "place": place.label, **step_body(update)}


def step_body(update: Update) -> dict[str, Any]:
    """Return a step without what it is about."""
    return {
        "installed": update.installed, "wanted": update.wanted, "fixes": list(update.fixes), "kind": update.kind,
        "stance": update.stance, "why": update.why,
    }  # fmt: skip


def sum_body(places: Sequence[Seen]) -> Mapping[str, Any]:
    """Return what holds for all of it."""
    return {
        "packages": sum(each.known.packages for each in places),
        "places": [{"place": each.label, "path": each.asked.place, "ecosystem": each.asked.ecosystem} for each in places],
        "yanked": [{"place": each.label, **release._asdict()} for each in places for release in each.known.yanked],
        "unknown": [{"place": each.label, "why": why} for each in places for why in untold_of(each)],
        "notes": [{"place": each.label, "note": note} for each in places for note in each.known.notes],
    }


def sum_of(places: Sequence[Seen], words: str) -> str:
    """Return the last line that people see."""
    untold = sum(len(untold_of(each)) for each in places)
    unknown = f"; UNKNOWN: {plural(untold, 'thing')} could not be told" if untold else ""
    return f"{plural(sum(each.known.packages for each in places), 'package')}, {words}{unknown}"


def _show(call: Call, places: Sequence[Seen], rows: Sequence[tuple[Seen, Update]]) -> None:
    if rows:
        cells = [
            (update.package, update.installed, update.wanted, update.kind, STANCES.get(update.stance, update.stance),
             each.label, ", ".join(update.fixes))
            for each, update in rows
        ]  # fmt: skip
        heads = ("PACKAGE", "INSTALLED", "LATER", "KIND", "POLICY", "WHERE", "FIXES")
        table(call, heads, cells, spare=("WHERE", "FIXES"), whole=("INSTALLED", "LATER"), goes_on="FIXES")
        say(call, "")
    for each in places:
        for release in each.known.yanked:
            why = release.reason or "no reason is given"
            say(call, f"{release.package} {release.version} in {each.label} was withdrawn by its authors: {why}")
        for note in each.known.notes:
            say(call, f"{each.label}: {note}")
    untold = any(untold_of(each) for each in places)
    say(call, sum_of(places, f"{len(rows)} could be upgraded" if rows or untold else "none is old"))
    if rows:
        next_steps(call, shlex.join(("zen-agents", "packages", "why", rows[0][1].package, *_same(call))))


def _same(call: Call) -> list[str]:
    """Return the flags that say what is looked at, and who is asked: another answer would be about something else."""
    found = [word for path in call.arguments.environment or () for word in ("-e", path)]
    for name in _SOURCES:
        said = getattr(call.arguments, name) or ()
        for value in (said,) if isinstance(said, str) else said:
            found += [f"--{name}", str(value)]
    return found
