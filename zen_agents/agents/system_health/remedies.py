"""Every action that the settings of system_health allow for, with its full parameters.

Parameters come from the configuration alone, never from what was observed (R17). What is not in here is not in scope.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import chain
from typing import Any

from zen_agents.agents.system_health.areas.listing import ONLY, TARGET_KINDS, used
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.errors import SettingsError
from zen_agents.model.action import ActionRequest

AGENT = "system_health"


class Remedies(Set[tuple[str, str]]):
    """The scope of the agent: the set of all (action, target) that the settings allow for.

    There may be thousands, so of each only the values of its parameters are kept; a request is made when it is asked for.
    """

    def __init__(self, settings: SystemHealthSettings) -> None:
        #: Action -> the names of its parameters, and target -> their values.
        self._names: dict[str, tuple[str, ...]] = {}
        self._values: dict[str, dict[str, tuple[Any, ...]]] = {}
        for action, label, params in chain.from_iterable(area.remedies(section) for area, section in used(settings)):
            self._names.setdefault(action, tuple(params))
            target = sys.intern(f"{TARGET_KINDS[action]}:{label}")
            self._values.setdefault(action, {})[target] = self._row(target, tuple(params.values()))

    def _row(self, target: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the row of another action on this target if it begins with these values, so that both have the same."""
        others = (targets.get(target, ()) for targets in self._values.values())
        return next((other for other in others if other[: len(values)] == values), values)

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple) or len(pair) != 2:
            return False
        action, target = pair
        return target in self._values.get(action, ())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((action, target) for action, targets in self._values.items() for target in targets)

    def __len__(self) -> int:
        return sum(map(len, self._values.values()))

    def requests(self) -> Iterator[ActionRequest]:
        """Yield all of them."""
        return (self._request(action, target, self._values[action][target]) for action, target in self)

    def of(self, action: str, target: str) -> ActionRequest | None:
        """Return the request for an action on a target, None if the settings do not allow for it."""
        values = self._values.get(action, {}).get(target)
        return None if values is None else self._request(action, target, values)

    def _request(self, action: str, target: str, values: tuple[Any, ...]) -> ActionRequest:
        params = dict(zip(self._names[action], values, strict=False))
        return ActionRequest(action, target, params, agent=AGENT)

    def ladder(self, references: Iterable[str], *, target: str, at: str) -> Sequence[ActionRequest]:
        """Return the requests that `on_failure` and its like name, in order.

        `restart_service:web` names the target; without one it is `target`, which a rule is about. Raises SettingsError, with
        the key path `at`, for what does not exist.
        """
        return [self._named(reference, target, f"{at}.{index}") for index, reference in enumerate(references)]

    def _named(self, reference: str, own_target: str, at: str) -> ActionRequest:
        action, _, label = reference.partition(":")
        kind = TARGET_KINDS.get(action)
        if kind is None:
            known = ", ".join(sorted(TARGET_KINDS))
            raise SettingsError(f"{at}: {AGENT} has no action {action!r} in this version; it has {known}")
        label = label or ONLY.get(kind, "")
        target = f"{kind}:{label}" if label else own_target
        request = self.of(action, target)
        if request is None:
            targets = sorted(self._values.get(action, ()))
            could = f"write {action}:NAME, with one of {', '.join(targets)}" if targets else f"no {kind} is listed for it"
            raise SettingsError(f"{at}: {action} cannot be done to {target}; {could}")
        return request
