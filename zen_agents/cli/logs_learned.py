"""`logs templates --learned`: which kinds of lines the engine knows of its sources, and how often they usually come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import note, plural, say, table
from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.templates import KnownKind, TemplateStudy
from zen_agents.model.duration import duration

#: As `checks.log_templates` calls what it remembers.
_KIND: Final = "log_templates."
_AGENT: Final = "log_analysis"
_MOST: Final = 50
#: Longer than anybody learns: what was saved says when that is over.
_FOR_EVER: Final = 1e12


@dataclass(frozen=True, slots=True)
class _Learned:
    source: str
    #: For how long it goes on learning before it tells of new kinds (seconds).
    learns_for: float
    kinds: Sequence[KnownKind]


def learned(call: Call, sources: Sequence[str], now: float, limit: int | None) -> int:
    """Show what the engine remembered last, at most five minutes ago; 1 if it knows nothing of what is asked for."""
    known = sorted(_known(call.store().check_memories(_AGENT), now), key=lambda each: each.source)
    if unknown := sorted(set(sources) - {each.source for each in known}):
        raise UsageError(f"nothing is learned of {', '.join(unknown)}: is there `templates:` at that source, and an engine?")
    shown = [each for each in known if not sources or each.source in sources]
    if call.machine:
        data(call, "logs-learned", {"items": [_body(each, limit or _MOST) for each in shown]})
    for each in () if call.machine else shown:
        _show(call, each, limit or _MOST)
    if not shown:
        note("nothing is learned: give a source `templates: {}`; it is written down within five minutes")
    return 0 if shown else 1


def _known(memories: Mapping[str, str], now: float) -> Iterator[_Learned]:
    for name, text in memories.items():
        if name.startswith(_KIND) and isinstance(saved := json.loads(text).get("study"), dict):
            study = TemplateStudy(Plain(), None, _FOR_EVER, now, saved)
            yield _Learned(name.removeprefix(_KIND), max(0.0, study.tells_from - now), study.kinds(now))


def _show(call: Call, learned: _Learned, most: int) -> None:
    learns = f", learning for {duration(learned.learns_for)} more" if learned.learns_for else ""
    say(call, f"{learned.source}: {plural(len(learned.kinds), 'kind')} of lines{learns}")
    rows = [
        (
            each.lines,
            None if each.usual is None else f"{each.usual:.0f}",
            call.when(_moment(each.last_at)),
            each.told,
            each.text,
        )
        for each in _first(learned.kinds, most)
    ]
    if rows:
        table(call, ("LINES", "USUAL/H", "LAST", "TOLD", "KIND"), rows, spare=("LAST",), goes_on="KIND")
    if len(learned.kinds) > most:
        say(call, f"... and {len(learned.kinds) - most} more, less frequent (--limit N shows them)")
    say(call, "")


def _first(kinds: Sequence[KnownKind], most: int) -> Sequence[KnownKind]:
    """Return those of which something is told, then the most frequent."""
    return sorted(kinds, key=lambda each: not each.told)[:most]


def _body(learned: _Learned, most: int) -> Mapping[str, Any]:
    kinds = [
        {"text": each.text, "example": each.example, "lines": each.lines, "first": each.first_at, "last": each.last_at,
         "usual": each.usual, "told": each.told}
        for each in _first(learned.kinds, most)
    ]  # fmt: skip
    return {"source": learned.source, "learns_for_seconds": learned.learns_for, "known": len(learned.kinds), "kinds": kinds}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
