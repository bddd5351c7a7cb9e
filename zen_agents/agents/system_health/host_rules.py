"""Rules about the host as a whole: CPU, memory, swap, load, stalls, disks, clock, and the engine itself.

Without actions named, they tell people what will be wanting: suggestions, not repairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from zen_agents.agents.system_health.observations import disks
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings, clear_below
from zen_agents.agents.system_health.threshold_settings import Breach, DiskThreshold
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import AllOf, Beyond, Either, StatusIs
from zen_agents.rules.expression import compile_expression
from zen_agents.rules.rule import Hold, Rule

#: After a breach the value must stay below `clear` for so many samples before it is over.
_CALM_SAMPLES = 4
#: A disk that would be full within so many hours, at the rate of an hour, is worth a word if it is half full already.
_FULL_WITHIN_HOURS, _FILLING_FOR, _FILLED_FROM = 12.0, 3600.0, 50.0
#: A slope needs its time, and so does the window over it.
_FILLING_PATIENCE = 3 * 3600.0
#: Setting the clock by more than this (seconds) is worth a word.
_STEP = 30.0
#: What the engine may weigh (bytes) and be late (seconds) before it says so about itself.
_ENGINE_BYTES, _ENGINE_LAG = 96.0 * 2**20, 0.5
#: A kernel without pressure stall information will never tell; ten years is never.
_NEVER = 3650 * 86400.0


def host_rules(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    """Return the rules about the host."""
    yield from _cpu_and_memory(settings, make)
    yield _load(settings, make)
    yield from _pressure(settings, make)
    for index, entry in enumerate(disks(settings, make.context.mounts)):
        at = f"thresholds.disk[{index}]" if index < len(settings.thresholds.disk) else "thresholds.disk"
        yield from _disk(entry, at, settings.thresholds.disk_every.total_seconds(), make)
    yield _clock(settings, make)
    if make.context.vitals is not None:
        yield from _engine(settings, make)


def _breach(
    label: str, name: str, target: str, breach: Breach, limit: float, *,
    every: float, at: str, make: RuleMaker, summary: str, window_seconds: float,
) -> Sequence[Rule]:  # fmt: skip
    """Return the rule for a threshold, and one for its critical level if there is one."""
    rule = make.rule(
        label,
        target,
        Beyond(name, target, limit, window_seconds=window_seconds, sample_seconds=every),
        at=at,
        summary=summary,
        severity=breach.severity,
        hold=Hold(clear_for_seconds=_CALM_SAMPLES * every),
        clear=now_above(name, target, clear_below(limit, breach), every),
        ladder=make.named_ladder(breach.on_breach, target=target, at=f"{at}.on_breach"),
        runbook=breach.runbook,
    )
    if breach.critical is None:
        return (rule,)
    critical = replace(
        make.rule(
            f"{label}.critical",
            target,
            Beyond(name, target, breach.critical, window_seconds=window_seconds, sample_seconds=every),
            at=f"{at}.critical",
            summary=f"{summary}, and critically so",
            severity=Severity.CRITICAL,
            hold=rule.hold,
            runbook=breach.runbook,
        ),
        clear=now_above(name, target, clear_below(breach.critical, Breach()), every),
    )
    return (rule, critical)


def _cpu_and_memory(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    every, thresholds = settings.sample_interval.total_seconds(), settings.thresholds
    table = (
        ("cpu", "cpu.percent", thresholds.cpu, settings.cpu_threshold, thresholds.cpu.held_for, "the CPUs are busy"),
        ("memory", "memory.percent", thresholds.memory, settings.memory_threshold, thresholds.memory.held_for,
         "memory is running out"),
        ("swap", "swap.percent", thresholds.swap, thresholds.swap.above, thresholds.swap.held_for,
         "swap space is running out: add memory, or look who grew"),
    )  # fmt: skip
    for label, name, breach, limit, held_for, summary in table:
        at = f"thresholds.{label}"
        if not make.is_written(at) and make.is_written(f"{label}_threshold"):
            at = f"{label}_threshold"
        yield from _breach(
            label, name, "host", breach, limit,
            every=every, at=at, make=make, summary=summary, window_seconds=held_for.total_seconds(),
        )  # fmt: skip


def _load(settings: SystemHealthSettings, make: RuleMaker) -> Rule:
    load, every = settings.thresholds.load, settings.sample_interval.total_seconds()
    condition = compile_expression(
        f"load5 > cpus * {load.per_cpu:f}", resolve=dict.fromkeys(("load5", "cpus"), "host").get, sample_seconds=every
    )
    return make.rule(
        "load",
        "host",
        condition,
        at="thresholds.load",
        summary="more processes wait for a CPU or a disk than this host can serve: spread the work, or add CPUs",
        severity=load.severity,
        hold=Hold(held_for_seconds=load.held_for.total_seconds(), clear_for_seconds=_CALM_SAMPLES * every),
        ladder=make.named_ladder(load.on_breach, target="host", at="thresholds.load.on_breach"),
        runbook=load.runbook,
    )


def _pressure(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    pressure, every = settings.thresholds.pressure, settings.sample_interval.total_seconds()
    table = (
        ("cpu", "pressure.cpu.some60", pressure.cpu, "tasks wait for a CPU"),
        ("memory", "pressure.memory.full60", pressure.memory, "everything stands still for want of memory"),
        ("io", "pressure.io.full60", pressure.io, "everything stands still for want of disks"),
    )
    for label, name, limit, summary in table:
        if limit is None:
            continue
        window = pressure.held_for.total_seconds()
        rule = make.rule(
            f"pressure.{label}",
            "host",
            Beyond(name, "host", limit, window_seconds=window, sample_seconds=every),
            at=f"thresholds.pressure.{label}",
            summary=summary,
            severity=pressure.severity,
            ladder=make.named_ladder(pressure.on_breach, target="host", at="thresholds.pressure.on_breach"),
            runbook=pressure.runbook,
        )
        yield replace(rule, unknown_patience_seconds=_NEVER)


def _disk(entry: DiskThreshold, at: str, every: float, make: RuleMaker) -> Iterable[Rule]:
    target, window = f"disk:{entry.path}", entry.held_for.total_seconds()
    yield from _breach(
        "disk", "disk.percent", target, entry, entry.above,
        every=every, at=at, make=make, summary=f"{entry.path} is full", window_seconds=window,
    )  # fmt: skip
    if entry.inodes:
        yield from _breach(
            "disk.inodes", "disk.inodes_percent", target, entry, entry.above,
            every=every, at=at, make=make, summary=f"{entry.path} has no inodes left", window_seconds=window,
        )  # fmt: skip
    filling = Beyond("disk.hours_to_full", target, _FULL_WITHIN_HOURS, _FILLING_FOR, every, direction="below")
    rule = make.rule(
        "disk.filling",
        target,
        AllOf((filling, now_above("disk.percent", target, _FILLED_FROM, every))),
        at=at,
        summary=f"{entry.path} will be full within {_FULL_WITHIN_HOURS:.0f} hours if it goes on like this",
        severity=Severity.WARNING,
        runbook=entry.runbook,
    )
    yield replace(rule, unknown_patience_seconds=_FILLING_PATIENCE)


def _clock(settings: SystemHealthSettings, make: RuleMaker) -> Rule:
    every = settings.sample_interval.total_seconds()
    forward = now_above("clock.step_seconds", "host", _STEP, every)
    back = replace(forward, limit=-_STEP, direction="below")
    rule = make.rule(
        "clock",
        "host",
        Either((forward, back)),
        at="",
        summary="somebody set the clock; limits and cooldowns do not follow it, but certificates and cron jobs do",
        severity=Severity.WARNING,
    )
    # A step shows between two looks only, however little patience there is.
    return replace(rule, unknown_patience_seconds=max(rule.unknown_patience_seconds, 2 * every))


def _engine(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    every = settings.sample_interval.total_seconds()
    heavy = Beyond("engine.rss", "host", _ENGINE_BYTES, window_seconds=600.0, sample_seconds=every)
    late = Beyond("engine.loop_lag", "host", _ENGINE_LAG, window_seconds=300.0, sample_seconds=every)
    writable = StatusIs("engine.store_writable", "host", 3 * every)
    table = (
        ("engine.memory", heavy, Severity.INFO, "the engine uses more memory than it should"),
        ("engine.loop", late, Severity.WARNING, "the engine is late: the host is overloaded, or it has too many checks"),
        ("engine.store", writable, Severity.CRITICAL, "the engine cannot write its state"),
    )
    for label, condition, severity, summary in table:
        yield make.rule(label, "host", condition, at="", summary=summary, severity=severity)
