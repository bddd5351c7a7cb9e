"""How a simulated host is asked: through its faults, and what was seen once stays so for this look, failures too."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zen_agents.errors import HostError

if TYPE_CHECKING:
    from chaos.simulation.world import SimulatedWorld

_T = TypeVar("_T")


class Questions:
    """What every part of `SimulatedView` asks by."""

    def __init__(self, host: SimulatedWorld) -> None:
        self._host = host
        self._seen: dict[Hashable, Any] = {}

    def _ask(self, method: str, answer: Callable[[], _T]) -> _T:
        # A fault may answer with anything: that is its point.
        return cast(_T, self._host.faults.apply(method, answer))

    def _once(self, method: str, answer: Callable[[], _T], argument: Hashable = None) -> _T:
        key = (method, argument)
        if key not in self._seen:
            try:
                self._seen[key] = self._ask(method, answer)
            except HostError as error:
                self._seen[key] = error
        if isinstance(self._seen[key], HostError):
            raise type(self._seen[key])(str(self._seen[key])) from self._seen[key]
        return cast(_T, self._seen[key])


def absolute(path: str) -> str:
    """Return a path that is one; HostError if it is not."""
    if not path.startswith("/") or "\0" in path:
        raise HostError(f"{path!r} is not an absolute path")
    return path
