"""Every action that the settings of system_health allow for, with its full parameters.

Parameters come from the configuration alone, never from what was observed (R17). What is not in here is not in scope.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from itertools import chain
from typing import Any

from zen_agents.agents.system_health.resource_settings import WatchedPath
from zen_agents.agents.system_health.service_settings import Service, ServiceCommand, ServiceProbe
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.errors import SettingsError
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in

AGENT = "system_health"
#: The actions this agent may ask for, and the kind of target of each.
TARGET_KINDS: Mapping[str, str] = {
    "restart_service": "service",
    "remove_stale_pidfile": "service",
    "create_directory": "path",
    "restore_permissions": "path",
    "clean_temp_files": "temp_dir",
    "rotate_logs": "log",
    "truncate_deleted_log": "log",
    "clear_cache": "cache",
}

#: Action, label of the target, and the action's parameters; every remedy of an action has the same ones.
_Remedy = tuple[str, str, Mapping[str, Any]]

#: Deleted but open files below this size (bytes) are left alone.
_WORTH_TRUNCATING = 2**20


class Remedies(Set[tuple[str, str]]):
    """The scope of the agent: the set of all (action, target) that the settings allow for.

    There may be thousands, so of each only the values of its parameters are kept; a request is made when it is asked for.
    """

    def __init__(self, settings: SystemHealthSettings) -> None:
        #: Action -> the names of its parameters, and target -> their values.
        self._names: dict[str, tuple[str, ...]] = {}
        self._values: dict[str, dict[str, tuple[Any, ...]]] = {}
        sections = (_for_services, _for_paths, _for_temp_dirs, _for_logs, _for_caches)
        for action, label, params in chain.from_iterable(section(settings) for section in sections):
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
        target = f"{kind}:{label}" if label else own_target
        request = self.of(action, target)
        if request is None:
            targets = sorted(self._values.get(action, ()))
            could = f"write {action}:NAME, with one of {', '.join(targets)}" if targets else f"no {kind} is listed for it"
            raise SettingsError(f"{at}: {action} cannot be done to {target}; {could}")
        return request


def _for_services(settings: SystemHealthSettings) -> Iterable[_Remedy]:
    for name, service in settings.services.items():
        if service.can_be_started:
            yield "restart_service", name, restart_params(name, service)
        if service.pidfile is not None:
            params = {"service": name, "path": service.pidfile, "executable": service.executable or ""}
            yield "remove_stale_pidfile", name, params


def restart_params(name: str, service: Service) -> Mapping[str, Any]:
    """Return the parameters of `restart_service` for one service."""
    return {
        "service": name,
        "unit": service.unit,
        "command": _command(service.command) if service.command is not None else None,
        "pidfile": service.pidfile,
        "executable": service.executable or "",
        "stop_timeout_seconds": service.stop_timeout.total_seconds(),
        "keep_running": is_kept_running(service),
        "probe": _probe(service.check) if service.command is not None and service.check is not None else None,
    }


def is_kept_running(service: Service) -> bool:
    """Tell whether a service is to run whoever stopped it: what the engine itself starts, and units that say so (R28)."""
    return service.command is not None or service.keep == "running"


def account_of(command: ServiceCommand) -> str:
    """Return the account a command is to run as; only root can change it, so others start it as themselves ("")."""
    return command.user or "" if os.geteuid() == 0 else ""


def _command(command: ServiceCommand) -> Mapping[str, Any]:
    return {
        "start": list(command.start),
        "stop": list(command.stop) if command.stop is not None else None,
        "restart": list(command.restart) if command.restart is not None else None,
        "user": account_of(command),
        "directory": command.cwd,
        "environment": dict(command.env),
    }


def _probe(check: ServiceProbe) -> Mapping[str, Any]:
    http = asdict(check.request) if check.request is not None else None
    return {"tcp": check.tcp, "http": http, "timeout_seconds": seconds_in(check.timeout)}


def _for_paths(settings: SystemHealthSettings) -> Iterable[_Remedy]:
    for name, watched in settings.paths.items():
        access = {"path": watched.path, **_access(watched)}
        yield "restore_permissions", name, {**access, "kind": watched.kind}
        if watched.create:
            yield "create_directory", name, access


def _access(watched: WatchedPath) -> Mapping[str, str]:
    return {"mode": watched.mode, "owner": watched.owner, "group": watched.group}


def _for_temp_dirs(settings: SystemHealthSettings) -> Iterable[_Remedy]:
    for name, directory in settings.temp_dirs.items():
        params = {
            "path": directory.path,
            "older_than_seconds": directory.older_than.total_seconds(),
            "down_to_percent": directory.down_to,
            "above_percent": directory.above,
        }
        yield "clean_temp_files", name, params


def _for_logs(settings: SystemHealthSettings) -> Iterable[_Remedy]:
    for name, log in settings.logs.items():
        params = {
            "path": log.path,
            "rotate_at_bytes": log.rotate_at,
            "keep": log.keep,
            "compress": log.compress,
            "copy_truncate": log.copy_truncate,
        }
        yield "rotate_logs", name, params
        # Many small ones may add up to the limit as well.
        least = min(log.deleted_above, _WORTH_TRUNCATING)
        yield "truncate_deleted_log", name, {"path": log.path, "at_least_bytes": least}


def _for_caches(settings: SystemHealthSettings) -> Iterable[_Remedy]:
    for name, cache in settings.caches.items():
        yield "clear_cache", name, {"path": cache.path, "down_to_bytes": cache.down_to}
