"""Programs of others that look at something: monitoring plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from zen_agents.model.plugin import PluginAnswer


class PluginCall(NamedTuple):
    """A program to be asked. It is read-only by convention alone, so it runs as somebody who may do little."""

    #: Absolute path of the program, and its arguments; no shell reads them.
    argv: tuple[str, ...]
    #: Account by name or number; an engine that is not root runs it as its own.
    user: str
    timeout_seconds: float


class PluginView(Protocol):
    """Asking monitoring plugins; never remembered."""

    async def plugin(self, call: PluginCall) -> PluginAnswer:
        """Run it beside the loop and return what it said.

        HostError if it cannot be run, if others than root could have written it (R21), or if it does not end in time.
        """
        ...
