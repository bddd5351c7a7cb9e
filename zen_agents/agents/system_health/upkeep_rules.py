"""Rules about what is kept in order on disk: listed paths, temporary directories, logs and caches."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.resource_settings import TempDirectory, WatchedPath
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.log import DeletedLogCheck
from zen_agents.model.duration import seconds_in
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, AllOf, StatusIs
from zen_agents.rules.rule import Condition, Rule, Rung

#: What did not help the second time is a person's: the file system does not change its mind.
_ATTEMPTS = 2


def upkeep_rules(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    """Return the rules about listed paths, temporary directories, logs and caches."""
    yield from _paths(settings, make)
    yield from _temp_dirs(settings, make)
    yield from _logs(settings, make)
    yield from _caches(settings, make)


def _paths(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    for name, watched in settings.paths.items():
        target = f"path:{name}"
        yield make.rule(
            name,
            target,
            StatusIs(f"path.{name}", target, seconds_in(watched.every, STALE_AFTER_SAMPLES), certain=True),
            at=f"paths.{name}",
            summary=f"{watched.path} is not as listed",
            severity=watched.severity,
            ladder=_path_ladder(name, watched, make),
            runbook=watched.runbook,
        )


def _path_ladder(name: str, watched: WatchedPath, make: RuleMaker) -> tuple[Rung, ...]:
    target, find = f"path:{name}", make.remedies.of
    if watched.on_failure is not None:
        at = f"agents.{AGENT}.paths.{name}.on_failure"
        return make.ladder(make.remedies.ladder(watched.on_failure, target=target, at=at), attempts=_ATTEMPTS)
    # Only one of the two can be planned at a time: what is missing has no mode, and what is there is not made.
    requests = make.unasked([find("create_directory", target), find("restore_permissions", target)])
    return make.ladder(requests, attempts=_ATTEMPTS)[:1]


def _temp_dirs(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    for name, directory in settings.temp_dirs.items():
        target = f"temp_dir:{name}"
        yield make.rule(
            name,
            target,
            _is_to_clean(name, directory),
            at=f"temp_dirs.{name}",
            summary=f"{directory.path} has old files that may go",
            severity=directory.severity,
            ladder=make.ladder(make.unasked([make.remedies.of("clean_temp_files", target)]), attempts=_ATTEMPTS),
            runbook=directory.runbook,
        )


def _is_to_clean(name: str, directory: TempDirectory) -> Condition:
    """There are old files, and (if a limit is given) the file system is too full; without old files nothing can be done."""
    target, every = f"temp_dir:{name}", seconds_in(directory.every)
    stale = now_above(f"temp_dir.{name}.stale_files", target, 0.0, every)
    limit = directory.above if directory.above is not None else directory.down_to
    if limit is None:
        return stale
    return AllOf((now_above(f"temp_dir.{name}.percent", target, limit, every), stale))


def _logs(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    for name, log in settings.logs.items():
        target, every = f"log:{name}", seconds_in(log.every)
        deleted_every = DeletedLogCheck.rhythm(every)
        table = (
            (name, f"log.{name}.largest_bytes", log.rotate_at, every, "rotate_logs", f"{log.path} is to be rotated"),
            (f"{name}.deleted", f"log.{name}.deleted_bytes", log.deleted_above, deleted_every, "truncate_deleted_log",
             f"deleted files of {log.path} still take room because somebody holds them open"),
        )  # fmt: skip
        for label, observation, limit, rhythm, action, summary in table:
            yield make.rule(
                label,
                target,
                now_above(observation, target, float(limit), rhythm),
                at=f"logs.{name}",
                summary=summary,
                severity=log.severity,
                ladder=make.ladder(make.unasked([make.remedies.of(action, target)]), attempts=_ATTEMPTS),
                runbook=log.runbook,
            )


def _caches(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    for name, cache in settings.caches.items():
        target = f"cache:{name}"
        yield make.rule(
            name,
            target,
            now_above(f"cache.{name}.bytes", target, float(cache.above), seconds_in(cache.every)),
            at=f"caches.{name}",
            summary=f"{cache.path} has grown too large",
            severity=cache.severity,
            ladder=make.ladder(make.unasked([make.remedies.of("clear_cache", target)]), attempts=_ATTEMPTS),
            runbook=cache.runbook,
        )
