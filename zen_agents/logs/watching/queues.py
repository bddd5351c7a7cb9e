"""Where a source's lines say how long its queues are: those that grow, and when they are full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.formats.base import Format
from zen_agents.logs.keys import KeyTable
from zen_agents.logs.latency.queue_growth import PARTS, Growth, QueueGrowth
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.memory import checked_rows
from zen_agents.logs.stamps import Stamps
from zen_agents.logs.watching.told import MOST_CHARACTERS, MOST_NAMED, Told
from zen_agents.model.duration import duration

#: So many queues are followed; of more, those of which the fewest lines tell are forgotten first.
MOST_QUEUES: Final = 100
#: The named groups of an expression, and what fields are usually called.
DEPTH_GROUP: Final = "depth"
NAME_GROUP: Final = "queue"
_DEPTHS: Final = ("queue_depth", "queue_length", "queue_size", "backlog", "lag")
_NAMES: Final = ("queue", "queue_name", "topic")
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class QueueRule:
    """What is asked of a source. Times are seconds, depths have no unit."""

    window: float
    #: Of a queue that is shorter than this now nothing is said.
    least: float
    #: It may have so many entries; None: not known.
    limit: float | None = None
    #: Expression with a group `depth` and maybe a group `queue`; "": fields say it.
    match: str = ""
    #: "": the usual names.
    depth_key: str = ""
    queue_key: str = ""


class QueueStudy:
    """Follows how long queues are; memory is bounded."""

    def __init__(self, rule: QueueRule, form: Format, zone: tzinfo | None, saved: Mapping[str, Any]) -> None:
        """Go on from what `saved` gave; what that cannot be is left out. PatternRefusedError: the expression is none."""
        self._rule, self._form, self._zone = rule, form, zone
        self._matcher = choose([rule.match]).matcher if rule.match else None
        self._queues: KeyTable[QueueGrowth] = KeyTable(MOST_QUEUES)
        for row in checked_rows(saved.get("queues"), width=2):
            name, depths = row
            if isinstance(name, str) and isinstance(depths, Mapping):
                self._queues.keep((name[:_LONGEST_NAME],), QueueGrowth.restored(depths, rule.window, rule.limit), 1)
        #: What was found, and the part of the window in which it was: it does not change faster.
        self._found: tuple[float, list[tuple[str, Growth]]] = (float("-inf"), [])

    def feed(self, lines: bytes, now: float) -> None:
        """Take whole lines that were read now."""
        stamps = Stamps(now, self._zone)
        for line in self._telling(lines):
            text = line.decode("utf-8", "replace")
            at, fields = self._form.find(text, stamps) or (None, {})
            if self._matcher is not None:
                fields = self._matcher.fields(0, line)
            self._take(fields, stamps.now if at is None else min(at, stamps.now), stamps.now)

    def told(self, now: float, *, is_behind: bool) -> tuple[Told, ...]:
        """Return which queues grow."""
        del is_behind
        if now - self._found[0] >= self._rule.window / PARTS:
            self._found = (now, sorted(self._growing(now), key=_urgency))
        growing = self._found[1]
        if not growing:
            return (Told(is_raised=False, value=0.0, detail=f"no queue of {len(self._queues)} grows", facts={}),)
        said = [self._said(name, growth) for name, growth in growing[:MOST_NAMED]]
        more = f" (and {len(growing) - 1} more)" if len(growing) > 1 else ""
        facts = {f"queue {number}": line[:MOST_CHARACTERS] for number, line in enumerate(said, start=1)}
        return (Told(is_raised=True, value=float(len(growing)), detail=f"{said[0]}{more}", facts=facts),)

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {"queues": [[name, queue.saved()] for (name,), queue in self._queues.ascending()]}

    def _telling(self, lines: bytes) -> Iterator[bytes]:
        if self._matcher is None:
            yield from filter(None, lines.split(b"\n"))
        else:
            yield from (lines[hit.start : hit.end] for hit in self._matcher.hits(lines))

    def _take(self, fields: Mapping[str, str], at: float, now: float) -> None:
        rule = self._rule
        depths = (rule.depth_key or DEPTH_GROUP,) if rule.depth_key or rule.match else _DEPTHS
        names = (rule.queue_key or NAME_GROUP,) if rule.queue_key or rule.match else _NAMES
        depth = next((number for each in depths if (number := _number(fields.get(each))) is not None), None)
        if depth is None or at <= now - rule.window:
            return
        key = (next((fields[each][:_LONGEST_NAME] for each in names if fields.get(each)), ""),)
        queue = self._queues.get(key) or QueueGrowth(rule.window, rule.limit)
        queue.add(depth, at)
        self._queues.keep(key, queue, 1)

    def _growing(self, now: float) -> Iterator[tuple[str, Growth]]:
        for (name,), queue in self._queues.items():
            growth = queue.growth(now)
            if growth is not None and growth.depth >= self._rule.least:
                yield name, growth

    def _said(self, name: str, growth: Growth) -> str:
        limit = self._rule.limit
        if limit is None or growth.full_in is None:
            full = ""
        else:
            full = f", full ({limit:g}) in {duration(growth.full_in)}" if growth.full_in else f", more than {limit:g}"
        minute = growth.slope * 60
        return f"{name or 'the queue'}: {growth.depth:g} entries, {minute:.3g} more a minute{full}"


def _urgency(found: tuple[str, Growth]) -> tuple[float, float]:
    """Sort what is full first before what only grows, and the longest first."""
    growth = found[1]
    return (float("inf") if growth.full_in is None else growth.full_in, -growth.depth)


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "")[:32])
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None
