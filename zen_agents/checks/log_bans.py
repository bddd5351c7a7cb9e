"""Which addresses are to be kept out: what the lines of a log tell of them, and whether they are here and free to come.

A line alone never gets anybody banned (R32): whoever may write to a log may write any address there. So the kernel has to
say as well that this address is connected to the port that the lines are about, and has answered on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import tzinfo
from typing import Any, NamedTuple

from zen_agents.checks.log_pattern_observations import pattern_name
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.logs.formats.base import Format
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.model.address import KIND, Address, Network, address_target, first_overlap, network_around, parse_address
from zen_agents.model.observation import Observation, Status, facts_of_lines, lines_in
from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import LogRequest


def ban_name(pattern: str) -> str:
    """Return the name of the observations about addresses that a pattern found."""
    return f"ban.{pattern}"


@dataclass(frozen=True, slots=True)
class BanRule:
    """Whom a pattern gets banned."""

    pattern: str
    #: TCP ports: nobody is banned who is not connected to one of them.
    ports: tuple[int, ...]
    #: For so long the lines count, and so does a connection that was seen.
    within_seconds: float
    never: tuple[Network, ...]
    most_at_once: int
    ipv6_prefix: int


class Following(NamedTuple):
    """What is known of an address that was seen to be connected. Seconds since the epoch, 0 for never."""

    connected_at: float
    banned_at: float = 0.0


_Followed = dict[tuple[str, Address], Following]
#: Addresses whose lines count, by pattern -> when the last of them was, for those first of whom they do the longest.
_Raised = Mapping[str, Mapping[Address, float]]
#: No more are followed than this, whether something keeps them out or not.
_MOST_FOLLOWED = 2000
#: The host is asked who is banned and connected no more often than this (seconds) while nobody new is told of: who floods a
#: log wakes its check with each piece. And what is remembered of an address changes no more often than this.
_LOOK_EVERY, _NOTE_EVERY = 0.5, 5.0


class BanningSourceCheck(LogSourceCheck):
    """Observes besides `ban.PATTERN` of each address that the lines tell of, and that has been seen to be connected.

    PROBLEM while its lines count and nothing keeps it out, OK once something does or they count no longer; after a ban only
    with a line that is newer. Of an address that is never banned nothing is observed, and beyond `most_at_once` one waits
    until there is room.
    """

    kind = "log_source"

    def __init__(
        self, label: str, *, request: LogRequest, form: Format, zone: tzinfo | None, rules: Sequence[PatternRule],
        every_seconds: float, bans: Sequence[BanRule], multiline: bool = False,
        written: tuple[str, str, bool] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            label, request=request, form=form, zone=zone, rules=rules, every_seconds=every_seconds, multiline=multiline,
            written=written,
        )  # fmt: skip
        self._bans = tuple(bans)
        self._others = tuple(ban_name(rule.pattern) for rule in bans)
        self._followed: _Followed = {}
        #: Whose lines counted at the last look at the host, when that was (steady seconds), and what was observed.
        self._whose: Mapping[str, frozenset[Address]] = {}
        self._looked_at = float("-inf")
        self._observed_last: tuple[Observation, ...] = ()
        self._kept: tuple[Mapping[str, Any] | None, _Followed, Mapping[str, Any] | None] = (None, {}, None)

    @property
    def about_others(self) -> tuple[str, ...]:
        """Return `ban.PATTERN` of each pattern that may get somebody banned."""
        return self._others

    def look(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read what is new, and say of each address how it stands."""
        told = super().look(host, now)
        raised: _Raised = {rule.pattern: self._raised(rule.pattern) for rule in self._bans}
        if not self._followed and not any(raised.values()):
            return told
        whose = {name: frozenset(addresses) for name, addresses in raised.items()}
        if whose == self._whose and now.steady - self._looked_at < _LOOK_EVERY:
            return (*told, *self._observed_last)
        self._whose, self._looked_at = whose, now.steady
        try:
            look = _Look(host, self._bans, raised, self._followed, now, _lines_of(told))
        except HostError as error:
            self._observed_last = tuple(self._untold(raised, now, str(error)))
        else:
            self._followed, self._observed_last = look.followed, tuple(look.observations)
        return (*told, *self._observed_last)

    def memory(self) -> Mapping[str, Any] | None:
        """Return what a source remembers, and besides who is followed."""
        source, followed = super().memory(), self._followed
        if source is None:
            return None
        if self._kept[0] is not source or self._kept[1] != followed:
            rows = [[pattern, str(address), *times] for (pattern, address), times in followed.items()]
            self._kept = (source, followed, {**source, "followed": rows})
        return self._kept[2]

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        super().recall(memory)
        self._followed, self._looked_at = {}, float("-inf")
        for pattern, text, *times in checked_rows(memory.get("followed"), width=4)[:_MOST_FOLLOWED]:
            address = parse_address(text) if isinstance(text, str) else None
            connected_at, banned_at = map(checked_number, times)
            if address is None or connected_at is None or banned_at is None or ban_name(str(pattern)) not in self._others:
                continue
            self._followed[str(pattern), address] = Following(connected_at, banned_at)

    def _raised(self, pattern: str) -> Mapping[Address, float]:
        latest = self._watch.raised(pattern) if self._watch is not None else {}
        parsed = ((parse_address(key[0]), at) for key, at in latest.items())
        return {address: at for address, at in parsed if address is not None}

    def _untold(self, raised: _Raised, now: Instant, why: str) -> Iterator[Observation]:
        """Yield that nobody knows how they stand: those who are followed, and who would be."""
        about = dict.fromkeys(self._followed)
        for rule in self._bans:
            about |= dict.fromkeys((rule.pattern, address) for address in [*raised[rule.pattern]][: rule.most_at_once])
        for pattern, address in about:
            yield Observation(ban_name(pattern), address_target(address), Status.UNKNOWN, now, None, why)


class _Look:
    """How everybody stands at one moment; HostError if that cannot be told."""

    def __init__(
        self, host: HostView, rules: Sequence[BanRule], raised: _Raised, followed: _Followed, now: Instant,
        lines: Mapping[str, Sequence[str]],
    ) -> None:  # fmt: skip
        self._now, self._at, self._lines = now, now.wall.timestamp(), lines
        self._bans = host.bans()
        self._kept = tuple(kept.network for kept in host.kept_networks())
        self.followed: _Followed = dict(followed)
        self.observations: list[Observation] = []
        #: How many more may be banned.
        room = min(rule.most_at_once for rule in rules) - len(self._bans)
        for rule in rules:
            here = host.connected(rule.ports) if raised[rule.pattern] else frozenset()
            room = self._judge(rule, raised[rule.pattern], here, room)

    def _judge(self, rule: BanRule, raised: Mapping[Address, float], here: Set[Address], room: int) -> int:
        """Observe each address of one pattern; return how much room is left."""
        known = [address for pattern, address in self.followed if pattern == rule.pattern]
        for address in dict.fromkeys((*known, *raised)):
            key, left = (rule.pattern, address), self._banned_for(address)
            has_room = key in self.followed or (room > 0 and len(self.followed) < _MOST_FOLLOWED)
            times = self.followed.get(key, Following(0.0))
            if address in here and address in raised and has_room:
                times = times._replace(connected_at=self._noted(times.connected_at))
            if left is not None:
                times = times._replace(banned_at=self._noted(times.banned_at))
            if not times.connected_at or self._is_never_banned(address, rule):
                times = Following(0.0)
            is_bad = left is None and self._counts(times, raised.get(address, 0.0), rule)
            room -= is_bad
            self.followed.pop(key, None)
            if times.connected_at and (address in raised or left is not None):
                self.followed[key] = times
            if is_bad or address in known:
                self._tell(rule, address, left, is_bad=is_bad)
        return room

    def _noted(self, before: float) -> float:
        return before if before <= self._at < before + _NOTE_EVERY else self._at

    def _counts(self, times: Following, latest: float, rule: BanRule) -> bool:
        """Tell whether an address is to be kept out: it was connected, and tried after it was let in again."""
        return self._at - times.connected_at <= rule.within_seconds and latest > times.banned_at

    def _banned_for(self, address: Address) -> float | None:
        """Return for how long something keeps an address out, None if nothing does."""
        found = (left for network, left in self._bans.items() if address.version == network.version and address in network)
        return max(found, default=None)

    def _is_never_banned(self, address: Address, rule: BanRule) -> bool:
        network = network_around(address, rule.ipv6_prefix)
        return first_overlap(network, (*rule.never, *self._kept)) is not None

    def _tell(self, rule: BanRule, address: Address, left: float | None, *, is_bad: bool) -> None:
        if is_bad:
            ports = ", ".join(map(str, rule.ports))
            detail = f"{address}: lines of {rule.pattern} tell of it, and it is connected to port {ports}"
        elif left is not None:
            detail = f"{address} is banned for another {left:.0f} s"
        else:
            detail = f"no new line of {rule.pattern} tells of {address}, or it is not connected any more"
        status = Status.PROBLEM if is_bad else Status.OK
        name, text = ban_name(rule.pattern), str(address)
        lines = [line for line in self._lines.get(rule.pattern, ()) if text in line] if is_bad else []
        facts = facts_of_lines(lines, (), [(KIND, text)]) if is_bad else {}
        self.observations.append(
            Observation(name, address_target(address), status, self._now, None, detail, text, facts=facts)
        )


def _lines_of(told: Sequence[Observation]) -> Mapping[str, Sequence[str]]:
    """Return the last lines of each pattern, as they were just observed; to be shown, never to be read again."""
    return {
        observation.name.removeprefix(pattern_name("")): [line.text for line in lines_in(observation.facts)]
        for observation in told
    }
