"""An engine inside a disposable host, with a configuration of the test's own and one failpoint armed if asked."""

from __future__ import annotations

from chaos.engines.base import AS_ALWAYS, Launch
from chaos.engines.zen_unit import ZenUnit
from chaos.host import DisposableHost
from zen_agents.store.failpoint import VARIABLE


class EngineInside(ZenUnit):
    """Looks after these services."""

    def __init__(self, host: DisposableHost, name: str, config: str, *, services: tuple[str, ...]) -> None:
        super().__init__(host, name)
        self.services = services
        self.configure(config)

    def incidents(self, name: str) -> list[tuple[str, str]]:
        """Return state and solver of all incidents of a service, oldest first."""
        items = reversed(self.json("incidents")["items"])
        return [(item["state"], item["resolved_by"]) for item in items if item["target"] == f"service:{name}"]


def armed(failpoint: str) -> Launch:
    """Return how an engine is started that meets one failpoint; "" for none."""
    return Launch(environment={VARIABLE: failpoint}) if failpoint else AS_ALWAYS
