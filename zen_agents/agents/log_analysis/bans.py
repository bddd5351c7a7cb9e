"""What comes of an address that a pattern with `ban_at:` found: a rule of its own, and a ban for a while.

Only the address is an observed value here, and it is a type that holds nothing else. How long, how wide, how many and who
never: all that comes from the configuration (ADR 0027).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from ipaddress import ip_network

from zen_agents.actions.ban_address import BanAddress, BanAddressPolicy
from zen_agents.agents.base import AgentContext
from zen_agents.agents.log_analysis.patterns import LogPattern
from zen_agents.agents.log_analysis.sources import LogSource
from zen_agents.checks.log_bans import BanRule, ban_name
from zen_agents.errors import SettingsError
from zen_agents.model.action import ActionRequest
from zen_agents.model.address import address_of
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule, Rung

#: What the firewall did not take once may have come to nothing; twice is enough.
_ATTEMPTS = 2
_VERIFY_WITHIN = 30.0
#: A look at a log that is flooded may take so long (seconds).
_STALE_AFTER = 120.0


class Bans:
    """The bans that the settings ask for."""

    def __init__(
        self, agent: str, patterns: Mapping[str, LogPattern], sources: Mapping[str, LogSource], context: AgentContext
    ) -> None:  # fmt: skip
        """Raises SettingsError, with the key path, if nobody may be banned."""
        self._agent, self._sources, self._context = agent, sources, context
        self._patterns = {ban_name(name): (name, pattern) for name, pattern in patterns.items() if pattern.ban_at}
        if not context.allows(BanAddress.name):
            at = f"agents.{agent}.patterns.{next(iter(self._patterns.values()))[0]}.ban_at"
            raise SettingsError(f"{at}: nobody may be banned; write `ban_address: {{}}` below actions.allow, or take it out")
        policy = (context.policies or {}).get(BanAddress.name)
        self._policy = policy if isinstance(policy, BanAddressPolicy) else BanAddressPolicy()

    def of_source(self, source: str) -> Sequence[BanRule]:
        """Return what the lines of a source may get somebody banned for."""
        never = tuple(map(ip_network, self._policy.never))
        return tuple(
            BanRule(name, pattern.ban_at, pattern.lasts_seconds, never, self._policy.most_at_once, self._policy.ipv6_prefix)
            for name, pattern in self._patterns.values()
            if pattern.source == source
        )

    def rule(self, name: str, target: str) -> Rule | None:
        """Return the rule about an address of which this observation is made; None for any other name or target."""
        asked = self._patterns.get(name)
        if asked is None or address_of(target) is None:
            return None
        context, (label, pattern) = self._context, asked
        patience = context.patience_when_critical_seconds
        return Rule(
            f"{self._agent}.{name}", self._agent, target,
            StatusIs(name, target, max(_STALE_AFTER, 3 * self._sources[pattern.source].every.total_seconds())),
            severity=pattern.severity,
            ladder=(Rung((self._request(target),), attempts=_ATTEMPTS, verify_within_seconds=_VERIFY_WITHIN),),
            unknown_patience_seconds=context.patience_seconds,
            patience_seconds=patience if pattern.severity is Severity.CRITICAL else context.patience_seconds,
            origin=context.origin(f"agents.{self._agent}.patterns.{label}.ban_at"),
            runbook=pattern.runbook,
            summary=f"{label}: lines tell of this address, it is connected, and nothing keeps it out",
        )  # fmt: skip

    def _request(self, target: str) -> ActionRequest:
        policy = self._policy
        params = {
            "seconds": int(policy.expires.total_seconds()), "most_at_once": policy.most_at_once,
            "ipv6_prefix": policy.ipv6_prefix, "never": list(policy.never),
        }  # fmt: skip
        return ActionRequest(BanAddress.name, target, params, agent=self._agent)


class ScopeWithAddresses(Set[tuple[str, str]]):
    """What an agent may ask for: what it lists, and a ban of any address; the action itself says which ones never."""

    def __init__(self, listed: Set[tuple[str, str]]) -> None:
        self._listed = listed

    def __contains__(self, pair: object) -> bool:
        if pair in self._listed:
            return True
        action, target = pair if isinstance(pair, tuple) and len(pair) == 2 else ("", "")
        return action == BanAddress.name and isinstance(target, str) and address_of(target) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)
