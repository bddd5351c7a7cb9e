"""Sets the stage for a replay, lets it run, and says what came of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant, ManualClock
from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.model.observation import Status
from zen_agents.rehearsal.difference import Difference, differences, recorded_decisions
from zen_agents.rehearsal.facts import Fact, Facts, FactsHost
from zen_agents.rehearsal.recording import LONGEST_SILENCE, Gap, Recording
from zen_agents.rehearsal.replay import Replay, pairs_of
from zen_agents.rehearsal.replayed_decisions import Decided, Episode
from zen_agents.rehearsal.stage import set_stage
from zen_agents.rules.rule import Rule
from zen_agents.wiring.options import Options, load_settings

#: Beyond the longest window of a rule, so much more is read before what is told begins (seconds): for holds and streaks.
_WARM_UP = 900.0


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a configuration would have decided."""

    host: str
    config: Sequence[str]
    since: datetime
    until: datetime
    judged_seconds: float
    gaps: Sequence[Gap]
    #: `rule on target` of rules that read what was never recorded: nothing can be said of them.
    unjudged: Sequence[str]
    decided: Sequence[Decided]
    episodes: Sequence[Episode]
    differences: Sequence[Difference]

    def count(self, outcome: str) -> int:
        """Return how many decisions have this outcome."""
        return sum(1 for one in self.decided if one.outcome == outcome)

    @property
    def limits(self) -> Counter[str]:
        """How often each reason refused."""
        return Counter(one.reason for one in self.decided if one.outcome == "skip")

    @property
    def cleared_alone(self) -> Sequence[Episode]:
        """Incidents that were over without an action of the replay."""
        return [one for one in self.episodes if one.ended is not None and not one.actions]


def replay(options: Options, store: SqliteStore, now: Instant, since: Instant) -> ReplayReport:
    """Judge what `store` recorded from `since` to `now` by a configuration. Writes nothing, looks at no host.

    Raises SettingsError if the configuration is not valid, UsageError if nothing was recorded in that time.
    """
    loaded = load_settings(options)
    loaded.require()
    clock = ManualClock(since.wall, since.steady)
    # The disks of then: a configuration without a list watches all that are mounted.
    disks = {f"{name}@{target}": Fact(Status.OK, None) for name, target in store.recorded_series() if target[:5] == "disk:"}
    host: Any = FactsHost(Facts(since.wall, disks))
    stage = set_stage(options, loaded, host=host, store=SqliteStore.snapshot(None), clock=clock)
    # Every replay of the same is the same.
    stage.parts.random = random.Random(0)  # noqa: S311  # nosec B311  jitter, no secret
    rules = [rule for agent in stage.agents for rule in agent.rules()]
    checks = [check for agent in stage.agents for check in agent.checks()]
    every = {(name, check.target): check.every_seconds for check in checks for name in check.observes}
    recording = Recording(store, {pair for rule in rules for pair in pairs_of(rule)})
    began = recording.began()
    if began is None or began.steady >= now.steady:
        raise UsageError("nothing is recorded here yet; let the engine run for a while: zen-agents run")
    judged, unjudged = _judged(rules, recording)
    run = Replay(stage.parts, clock, judged, every, since.steady, recording.failed_after)
    run.run(recording.moments(since.steady - _lead(judged), now.steady))
    gaps = _gaps(run, began, since, now)
    then = recorded_decisions(recording.decisions(since.steady, now.steady), gaps)
    known = {(rule.name, rule.target) for rule in rules} - {(rule.name, rule.target) for rule in judged}
    comparable = [one for one in then if (one.rule, one.target) not in known and _is_within(one, options, stage.agents)]
    return ReplayReport(
        store.get("host_name") or stage.host_name, stage.files, since.wall, now.wall, run.judged_seconds, gaps, unjudged,
        run.decisions.decided, run.decisions.episodes, differences(run.decisions.decided, comparable),
    )  # fmt: skip


def _is_within(one: Decided, options: Options, agents: Sequence[Any]) -> bool:
    """Tell whether a decision was one of the agents that are replayed."""
    return not options.agents or one.rule.partition(".")[0] in {agent.name for agent in agents}


def _judged(rules: Sequence[Rule], recording: Recording) -> tuple[list[Rule], list[str]]:
    """Return the rules of whose observations all were recorded, and the names of the others."""
    judged = [rule for rule in rules if not pairs_of(rule) & recording.unrecorded]
    return judged, sorted(f"{rule.name} on {rule.target}" for rule in rules if pairs_of(rule) & recording.unrecorded)


def _lead(rules: Sequence[Rule]) -> float:
    """Return how many seconds before the beginning are read, so that every window is full by then."""
    longest = [seconds for rule in rules for seconds in rule.condition.histories.values()]
    held = [rule.hold.held_for_seconds for rule in rules]
    return max([*longest, *held], default=0.0) + _WARM_UP


def _gaps(run: Replay, began: Instant, since: Instant, now: Instant) -> list[Gap]:
    """Return where nothing is known, also before the first and behind the last that was recorded."""
    gaps = list(run.gaps)
    if began.steady > since.steady + LONGEST_SILENCE:
        gaps.insert(0, Gap(since, began))
    last = run.last_seen
    if last is None or last.steady <= since.steady:
        return [Gap(since, now)]
    if now.steady - last.steady > LONGEST_SILENCE:
        gaps.append(Gap(last, now))
    return gaps
