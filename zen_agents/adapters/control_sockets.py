"""The two control sockets of an engine: `control.sock` for acting, `view.sock` for looking (R22)."""

from __future__ import annotations

import logging

from zen_agents.adapters.control_socket import Answerer, ControlSocket, socket_groups
from zen_agents.adapters.state_dir import StateDir

log = logging.getLogger("zen_agents.control")


class ControlSockets:
    """Both, in the state directory, each open to its group."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._open: list[ControlSocket] = []

    async def open(self, answer: Answerer) -> None:
        """Listen for people; an engine that nobody can ask goes on watching, and its log says so."""
        view, ops = socket_groups()
        if (passing := ops if view is None else view) is not None:
            self._state.open_to(passing)
        for name, may_act, group in (("control.sock", True, ops), ("view.sock", False, view)):
            sock = ControlSocket(self._state.path / name, answer, may_act=may_act, group=group)
            try:
                await sock.open()
            except OSError as error:
                log.critical("%s cannot be made, so nobody can ask the engine there: %s", name, error.strerror or error)
            else:
                self._open.append(sock)

    async def close(self, *, acting: bool) -> None:
        """Close the one for acting, or the one for looking, if it is open."""
        for sock in [sock for sock in self._open if sock.may_act is acting]:
            await sock.close()
            self._open.remove(sock)
