"""`packages why PACKAGE`: where it is, who requires it, what is known of it, what policy says, and what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zen_agents.adapters.packages_found import inventories
from zen_agents.adapters.packages_requirers import Requirer, requirers
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.actions import word_of
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_outdated import STANCES, step_body
from zen_agents.cli.packages_places import Seen, seen, tell_untold
from zen_agents.cli.render import next_steps, say
from zen_agents.dataclass import dataclass
from zen_agents.errors import NotRunningError, PermissionDeniedError, UsageError, ZenError
from zen_agents.model.entry import EntryKind
from zen_agents.model.package_look import Update, Weakness
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.ports.store import ActionRow

_NOT_KNOWN: Final = 6
_MOST_ACTIONS, _MOST_DECISIONS, _SHOWN = 1000, 500, 8


@dataclass(frozen=True, slots=True)
class _Place:
    """What one place says of the package."""

    seen: Seen
    name: str
    versions: tuple[str, ...]
    requirers: tuple[Requirer, ...]
    weaknesses: tuple[Weakness, ...]
    updates: tuple[Update, ...]
    #: Why its authors have withdrawn what is installed.
    yanked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Past:
    """What the ledger says of it."""

    actions: tuple[ActionRow, ...] = ()
    #: When, and what was refused or told, in words; the newest first.
    refused: tuple[tuple[str, str], ...] = ()
    #: Why the ledger could not be read, "" if it could.
    untold: str = ""


def why(call: Call) -> int:
    """Explain; UsageError if it is nowhere, 6 if something about it could not be told."""
    if not call.arguments.name:
        raise UsageError("which package? zen-agents packages why PACKAGE")
    places = seen(call)
    found = [place for each in places for place in _of(each, call.arguments.name)]
    if not found:
        tell_untold(places)
        where = ", ".join(each.asked.place for each in places)
        raise UsageError(f"{call.arguments.name} is not installed in {where}; see: zen-agents packages list")
    past = _past(call, found[0].name)
    if call.machine:
        data(call, "packages-why", {"name": found[0].name, "places": [_body(each) for each in found], **_past_body(past)})
    else:
        _show(call, found, past)
    tell_untold(places)
    return _NOT_KNOWN if any(each.seen.known.untold for each in found) else 0


def _of(place: Seen, wanted: str) -> Iterator[_Place]:
    ecosystem, path = Ecosystem(place.asked.ecosystem), Path(place.asked.place)
    name = normal_name(ecosystem, wanted)
    try:
        packages = [
            each for inventory in inventories(path) if inventory.ecosystem is ecosystem for each in inventory.packages
        ]
    except ZenError:
        return
    if not (versions := tuple(dict.fromkeys(each.version for each in packages if each.name == name))):
        return
    known = place.known
    yield _Place(
        place, name, versions, tuple(requirers(ecosystem, path, name)),
        tuple(each for each in known.weaknesses if each.package == name),
        tuple(each for each in known.updates if each.package == name),
        tuple(each.reason or "no reason is given" for each in known.yanked if each.package == name),
    )  # fmt: skip


# -- the ledger -------------------------------------------------------------------------------------------------------
def _past(call: Call, name: str) -> _Past:
    try:
        store = call.store()
    except (NotRunningError, PermissionDeniedError) as error:
        return _Past(untold=str(error))
    mentions = re.compile(rf"(?<![\w.+-]){re.escape(name)}(?![\w+-])")
    rows = store.actions(since=0.0, limit=_MOST_ACTIONS)
    actions = [row for row in rows if any(mentions.search(str(step)) for step in row.plan.get("steps", ()))]
    return _Past(tuple(actions[:_SHOWN]), tuple(_refused(call, store, mentions))[:_SHOWN])


def _refused(call: Call, store: SqliteStore, mentions: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for row in store.entries(kinds=[EntryKind.DECISION], limit=_MOST_DECISIONS, newest_first=True):
        body: Mapping[str, Any] = row.entry.body
        about = f"{body.get('detail', '')} {body.get('seen', '')} {(body.get('plan') or {}).get('steps', '')}"
        if str(body.get("rule", "")).startswith("dependency_manager.") and mentions.search(about):
            yield call.when(row.entry.at.wall), f"{body.get('outcome')}: {body.get('reason')} ({row.entry.id})"


# -- what is printed --------------------------------------------------------------------------------------------------
def _body(place: _Place) -> Mapping[str, Any]:
    return {
        "place": place.seen.label, "path": place.seen.asked.place, "versions": list(place.versions),
        "required_by": [each._asdict() for each in place.requirers],
        "weaknesses": [each._asdict() for each in place.weaknesses],
        "updates": [step_body(each) for each in place.updates], "yanked": list(place.yanked),
    }  # fmt: skip


def _past_body(past: _Past) -> Mapping[str, Any]:
    actions = [{"id": row.id, "action": row.action, "target": row.target, "outcome": row.kind.value} for row in past.actions]
    return {"actions": actions, "refused": [{"at": at, "what": what} for at, what in past.refused], "untold": past.untold}


def _show(call: Call, places: Sequence[_Place], past: _Past) -> None:
    for place in places:
        say(call, f"{place.name} {', '.join(place.versions)} in {place.seen.label}")
        for text in _lines(place):
            say(call, text, indent=2, hang=13)
        say(call, "")
    for row in past.actions:
        say(
            call,
            f"{'done':11} {call.when(row.reserved_at.wall)} {row.action} {row.target}: {word_of(row)} ({row.id})",
            hang=12,
        )
    for at, what in past.refused:
        say(call, f"{'decided':11} {at} {what}", hang=12)
    if not past.actions and not past.refused:
        say(call, f"{'done':11} {past.untold or 'nothing yet'}", hang=12)
    if past.actions:
        next_steps(call, f"zen-agents why {past.actions[0].id}")


def _lines(place: _Place) -> Iterator[str]:
    asked = ", ".join(f"{each.name} ({each.asks})" for each in place.requirers[:_SHOWN])
    more = f" and {len(place.requirers) - _SHOWN} more" if len(place.requirers) > _SHOWN else ""
    yield f"{'required by':11} {asked + more if asked else 'nothing that is installed: it is there for itself'}"
    for each in place.weaknesses[:_SHOWN]:
        exploited = ", exploited" if each.is_exploited else ""
        fixed = f"fixed in {each.fixed_in}" if each.fixed_in else "no fixed version is known"
        yield f"{'weakness':11} {each.advisory} ({each.rating}{exploited}), {fixed}: {each.summary or 'no summary'}"
    if not place.weaknesses:
        yield f"{'weakness':11} {'not known' if place.seen.known.untold else 'none is known'}"
    for why in place.yanked:
        yield f"{'withdrawn':11} by its authors: {why}"
    for update in place.updates:
        stance = STANCES.get(update.stance, update.stance)
        yield f"{'policy':11} {update.installed} -> {update.wanted} ({update.kind}): {stance} ({update.why})"
    if not place.updates:
        none = "there is no later version that could be had"
        yield f"{'policy':11} {none if not place.seen.known.untold else 'not known'}"
