"""Whether anybody can log in with the rights of root by an account that is not listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.drift.root_accounts import PASSWD, SHADOW, unlisted_root_accounts
from zen_agents.model.observation import Observation, Status, facts_of_lines
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView

#: New ones that are named.
_MOST_NAMED = 5


class RootAccountsCheck(Check):
    """Observes `root_accounts`: how many there are, PROBLEM if any is. Accounts of a directory service are not seen."""

    kind = "root_accounts"
    summary = "Is there an account with user id 0, not listed and not locked?"

    def __init__(self, *, known: Collection[str], every_seconds: float) -> None:
        super().__init__(name="root_accounts", target="root_accounts:system", every_seconds=every_seconds)
        self._known = frozenset(known)

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def watches(self) -> Sequence[Watch]:
        """Return what says at once that an account came, or was opened again."""
        return (Watch("path", PASSWD), Watch("path", SHADOW))

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare the accounts with those that are listed; HostError if they cannot be read."""
        found = unlisted_root_accounts(self._known, host)
        if not found:
            return (Observation(self.name, self.target, Status.OK, now, 0.0, "only those that are listed, or locked ones"),)
        named = [account.said for account in found[:_MOST_NAMED]]
        more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
        facts = facts_of_lines(named, (), [("user", account.name) for account in found[:_MOST_NAMED]])
        said = f"not listed, and may log in as root: {', '.join(named)}{more}"
        identity = "+".join(account.fingerprint for account in found)
        return (Observation(self.name, self.target, Status.PROBLEM, now, float(len(found)), said, identity, facts),)
