"""What one look was told: the same question is not asked of the host again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zen_agents.errors import HostError

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost

_T = TypeVar("_T")


class OnceLook:
    """Part of a look at a host: remembers answers, and refusals, for as long as the look lasts."""

    _host: LinuxHost
    _seen: dict[Hashable, Any]

    def _once(self, key: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer of this look, or raise its HostError again."""
        if key not in self._seen:
            try:
                self._seen[key] = ask()
            except HostError as error:
                self._seen[key] = error
        answer = self._seen[key]
        if isinstance(answer, HostError):
            raise type(answer)(str(answer)) from answer
        return cast(_T, answer)
