"""No engine at all: what would have become of it anyway."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.engines.base import AS_ALWAYS, Contender, Cost, Launch, Performed, Timeline


class NoEngine(Contender):
    """Does nothing."""

    name = "none"

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        pass

    def stop(self) -> None:
        pass

    def timeline(self) -> Timeline:
        return Timeline()

    def actions(self) -> Sequence[Performed]:
        return ()

    def cost(self) -> Cost:
        return Cost()
