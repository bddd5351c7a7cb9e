"""What is known of the packages of one place: what policy would upgrade, what stays weak, and what is merely old.

A weakness that was found is told, also where something else could not be told. Where nothing was found and something is not
known, nothing is said to be fine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.model.package_look import PackageLook, PackageQuestion, Update, Weakness
from zen_agents.ports.host import HostView

#: Which weaknesses are told that nothing is done about: every one, those that are severe, or those that attackers use.
Telling = Literal["all", "severe", "exploited"]
_SEVERE = frozenset({"high", "critical"})
_OBSERVED = ("due", "asked", "vulnerable", "severe", "exploited", "yanked", "outdated")
#: So many packages are named; the rest is counted.
_SHOWN = 6


class PackageCheck(Probe):
    """Observes `packages.NAME.due`, `.asked`, `.vulnerable`, `.severe`, `.exploited`, `.yanked`, `.outdated`: how many.

    Each weakness counts for the worst of them that fits, and for none of them while an upgrade that ends it is due or asked.
    """

    __slots__ = ("_asked", "_telling")

    kind = "package"
    summary = "Which of these packages have known weaknesses, which would policy upgrade, and which are old?"

    def __init__(
        self,
        label: str,
        target: str,
        asked: PackageQuestion,
        *,
        telling: Telling,
        every_seconds: float,
        within_seconds: float,
    ) -> None:
        super().__init__(
            name=f"packages.{label}", target=target, every_seconds=every_seconds, timeout_seconds=within_seconds
        )
        self._asked, self._telling = asked, telling

    @property
    def observes(self) -> tuple[str, ...]:
        return tuple(f"{self.name}.{each}" for each in _OBSERVED)

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Have the place looked at."""
        look = await host.packages(self._asked, self.timeout_seconds)
        if not isinstance(look, PackageLook):
            raise HostError(f"the look at {self.target} came back with nonsense")
        left = [each for each in _left(look) if self._tells(each)]
        plain = [each for each in left if not each.is_exploited and each.rating not in _SEVERE]
        severe = [each for each in left if not each.is_exploited and each.rating in _SEVERE]
        old = [each for each in look.updates if each.stance == "tell" and not each.fixes]
        return (
            self._observed("due", [_step(each) for each in look.due], "no upgrade is due", look, now),
            self._observed("asked", [_step(each) for each in look.asked], "nobody has to be asked", look, now),
            self._weak("vulnerable", plain, look, now),
            self._weak("severe", severe, look, now),
            self._weak("exploited", [each for each in left if each.is_exploited], look, now),
            self._yanked(look, now),
            self._observed("outdated", [_step(each) for each in old], "nothing is old", look, now),
        )

    def _tells(self, weakness: Weakness) -> bool:
        if weakness.is_exploited or self._telling == "all":
            return True
        return self._telling == "severe" and weakness.rating in _SEVERE

    def _yanked(self, look: PackageLook, now: Instant) -> Observation:
        found = [f"{each.package} {each.version} ({each.reason or 'no reason is given'})" for each in look.yanked]
        known = look._replace(untold=(*look.untold, *filter(None, (look.yanked_untold,))))
        return self._observed("yanked", found, "nothing of what is installed was withdrawn", known, now)

    def _weak(self, name: str, found: Sequence[Weakness], look: PackageLook, now: Instant) -> Observation:
        return self._observed(name, _by_package(found), "no weakness of this kind is known that is left", look, now)

    def _observed(self, name: str, found: Sequence[str], fine: str, look: PackageLook, now: Instant) -> Observation:
        status, said = Status.OK, f"{fine} ({'; '.join((f'{look.packages} packages', *look.notes))})"
        untold = f"not known: {'; '.join(look.untold[:3])}" if look.untold else ""
        if found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            status, said = Status.PROBLEM, f"{', '.join(found[:_SHOWN])}{more}{f'; {untold}' if untold else ''}"
        elif untold:
            status, said = Status.UNKNOWN, untold
        value = None if status is Status.UNKNOWN else float(len(found))
        return Observation(f"{self.name}.{name}", self.target, status, now, value, said, _fingerprint(found))


def _left(look: PackageLook) -> Iterable[Weakness]:
    """Yield the weaknesses that no upgrade that is due or asked for would end."""
    ended = {(each.package, each.installed, advisory) for each in (*look.due, *look.asked) for advisory in each.fixes}
    return (each for each in look.weaknesses if (each.package, each.version, each.advisory) not in ended)


def _step(update: Update) -> str:
    why = ", ".join([update.kind, *update.fixes[:3], *(["and more"] if len(update.fixes) > 3 else [])])
    return f"{update.package} {update.installed} -> {update.wanted} ({why})"


def _by_package(found: Sequence[Weakness]) -> Sequence[str]:
    by_package: dict[str, list[str]] = {}
    for each in found:
        by_package.setdefault(f"{each.package} {each.version}", []).append(each.advisory)
    return [f"{package} ({_advisories(names)})" for package, names in by_package.items()]


def _advisories(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


def _fingerprint(found: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16] if found else ""
