"""One source's templates over time: those that are new, those that vanished, and those that come in bursts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.mining.masks import Masks
from zen_agents.logs.mining.miner import Miner
from zen_agents.logs.mining.rates import Rate, RateChange
from zen_agents.logs.mining.seasons import Hours
from zen_agents.logs.mining.tree import Template

#: For so long (seconds) every template is new and none is told: what comes once a week is no news after that.
LEARNING_SECONDS: Final = 7 * 86400.0
#: Of so many templates at most, those with the most lines, the rate is watched (some 40 KB each).
MOST_WATCHED: Final = 100
#: A template with fewer lines has no rate that could be called usual.
_LEAST_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """The rate of one template changed."""

    template: Template
    change: RateChange


class TemplateWatch:
    """Learns what a source says. Times are seconds since the epoch at which the lines arrived, hours are those of `zone`."""

    def __init__(
        self, started_at: float, zone: tzinfo | None, masks: Masks | None = None, learning_seconds: float = LEARNING_SECONDS
    ) -> None:
        self.miner, self._hours = Miner(masks), Hours(zone)
        #: When it begins to tell of new templates.
        self.tells_from = started_at + learning_seconds
        self._rates: dict[Template, Rate] = {}
        #: How many lines of each watched template its rate knows of.
        self._told: dict[Template, int] = {}

    def learn(self, chunk: bytes, at: float) -> list[Template]:
        """Read whole lines; return the new templates, none while it learns."""
        new = self.miner.learn(chunk, at)
        return new if at >= self.tells_from else []

    def advance(self, now: float, *, is_late: bool = False) -> list[TemplateChange]:
        """Compare what came since the last call with what is usual; to be called at least every few minutes.

        Lines that are late, written while nobody listened, count in no rate: when each of them came is not known.
        """
        self._choose(now)
        changes: list[TemplateChange] = []
        for template, rate in self._rates.items():
            lines = 0 if is_late else template.lines - self._told[template]
            self._told[template] = template.lines
            changes += [TemplateChange(template, change) for change in rate.add(lines, now)]
        return changes

    def rate_of(self, template: Template) -> Rate | None:
        """Return how often a kind comes; None if its rate is not watched."""
        return self._rates.get(template)

    def _choose(self, now: float) -> None:
        """Watch the most frequent; one that was forgotten gives its place away, and so does one that is overtaken by far."""
        for template in [template for template in self._rates if not template.is_kept]:
            self._unwatch(template)
        for template in self.miner.templates[:MOST_WATCHED]:
            if template in self._rates or template.lines < _LEAST_LINES:
                continue
            if len(self._rates) >= MOST_WATCHED:
                least = min(self._rates, key=lambda watched: watched.lines)
                if template.lines < 2 * least.lines:
                    break
                self._unwatch(least)
            self._rates[template], self._told[template] = Rate(now, self._hours), template.lines

    def _unwatch(self, template: Template) -> None:
        del self._rates[template], self._told[template]

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        rates = [[template.text, self._told[template], rate.saved()] for template, rate in self._rates.items()]
        return {"templates": self.miner.saved(), "tells_from": self.tells_from, "rates": rates}

    @classmethod
    def restored(
        cls,
        saved: Mapping[str, Any],
        started_at: float,
        zone: tzinfo | None,
        masks: Masks | None = None,
        learning_seconds: float = LEARNING_SECONDS,
    ) -> TemplateWatch:
        """Return what was saved; what it cannot be is left out, and without a template of all it learns from the start."""
        made = cls(started_at, zone, masks, learning_seconds)
        templates, tells_from = saved.get("templates"), checked_number(saved.get("tells_from"))
        if not isinstance(templates, Mapping) or tells_from is None:
            return made
        made.miner, made.tells_from = Miner.restored(templates, masks), min(tells_from, made.tells_from)
        by_text = {template.text: template for template in made.miner.templates}
        for text, told, rate in checked_rows(saved.get("rates"), width=3)[:MOST_WATCHED]:
            template = by_text.get(text) if isinstance(text, str) else None
            known = checked_number(told)
            if template is not None and known is not None and isinstance(rate, Mapping):
                made._rates[template] = Rate.restored(rate, started_at, made._hours)
                made._told[template] = min(template.lines, int(known))
        return made
