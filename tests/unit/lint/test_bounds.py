"""The worst case is never exceeded by a simulated hour of the real engine, and is reached where only it holds back."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zen_agents.lint.bounds import Bounds, worst_case
from zen_agents.lint.rule_set import examine
from zen_agents.rehearsal.rule_tests import RuleTest
from zen_agents.rehearsal.trial import Event, play
from zen_agents.settings.loader import load_tree

CONFIG = """
mode: {mode}
agents:
  system_health:
    services:
      web: {{unit: web.service, check: {{tcp: "127.0.0.1:80"}}, every: 20s, fail_after: 1, recover_after: 1}}
      app: {{unit: app.service, check: {{tcp: "127.0.0.1:81"}}, every: 20s, fail_after: 1, recover_after: 1}}
    caches:
      pip: {{path: /srv/cache/pip, above: 1GiB, down_to: 512MiB, every: 20s}}
    rules:
      slow: {{when: "cpu.percent > 90", for: 20s, on_match: ["restart_service:web"]}}
actions:
  default: deny
  allow:
    restart_service: {{cooldown: {cooldown}, verify_within: 30s, {per_hour}}}
    clear_cache: {{cooldown: {cooldown}}}
limits: {{max_auto_repairs_per_hour: {repairs}, max_housekeeping_per_hour: {housekeeping}, per_target_per_hour: {target},
  max_concurrent: 2}}
breakers:
  flapping: {{open_after: 1000, within: 1h}}
  recurrence: {{open_after: 1000, within: 4h, retry_after: 2h}}
"""
HOUR = 3600.0
SAMPLES = 240


def bounds_and(folder: Path, **given: object) -> tuple[Bounds, object]:
    values = {"mode": "enforce", "cooldown": "1m", "per_hour": "", "repairs": 5, "housekeeping": 20, "target": 4} | given
    text = CONFIG.format(**values).replace(", }", "}")
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    loaded, root = load_tree([path], {})
    assert loaded.settings is not None, loaded.errors
    rule_set = asyncio.run(examine(loaded, root))
    return worst_case(list(rule_set.rules.values()), rule_set.today, rule_set.policy), loaded


def actions(loaded: object, inputs: dict[str, str], exit_code: int) -> list[Event]:
    test = RuleTest.model_validate({
        "name": "any day", "sample_every": "20s", "inputs": inputs, "expect_only": True,
        "action_results": {name: {"exit": exit_code, "takes": "1s"} for name in ("restart_service", "clear_cache")},
    })  # fmt: skip
    events = asyncio.run(play(test, loaded))  # type: ignore[arg-type]
    return [event for event in events if event.kind == "action"]


def busiest(times: list[float]) -> int:
    """Return the most that begins in any hour."""
    return max((sum(1 for other in times if start <= other < start + HOUR) for start in times), default=0)


def exceeded(bounds: Bounds, done: list[Event]) -> list[str]:
    """Return the bounds that what was done does not keep."""
    over = []
    for key in {f"{event.rule}|" for event in done}:
        most = sum(bound.most for name, bound in bounds.rules.items() if name.startswith(key))
        if busiest([event.at for event in done if f"{event.rule}|" == key]) > most:
            over.append(key)
    over += ["the whole"] if busiest([event.at for event in done]) > bounds.whole.most else []
    return over + (["the agent"] if bounds.whole.most > bounds.agents["system_health"].most else [])


def days(good: str, bad: str) -> st.SearchStrategy[str]:
    """Return series of a bad day: good and bad for any time, by turns."""
    turn = st.tuples(st.sampled_from([good, bad]), st.integers(1, 12))
    return st.lists(turn, min_size=1, max_size=40).map(lambda turns: " ".join(f"{word} x{count}" for word, count in turns))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    web=days("up", "down"), app=days("up", "down"), cpu=days("10", "99"), cache=days("1", "9999999999"),
    exit_code=st.sampled_from([0, 1]), cooldown=st.sampled_from(["0s", "1m", "10m", "40m"]),
    per_hour=st.sampled_from(["", "max_per_hour: 0", "max_per_hour: 3"]), repairs=st.integers(1, 12),
    housekeeping=st.integers(1, 6), target=st.integers(1, 8),
)  # fmt: skip
def test_no_simulated_hour_exceeds_it(
    tmp_path: Path, web: str, app: str, cpu: str, cache: str, exit_code: int, **given: object
) -> None:
    bounds, loaded = bounds_and(tmp_path, **given)
    inputs = {"service.web": web, "service.app": app, "cpu.percent": cpu, "cache.pip.bytes": cache}
    assert exceeded(bounds, actions(loaded, inputs, exit_code)) == []


@pytest.mark.parametrize(
    ("given", "by", "most"),
    [
        ({"target": 3}, "limits.per_target_per_hour", 3),
        ({"target": 50, "repairs": 50, "cooldown": "10m"}, "cooldown and backoff", 6),
        ({"target": 50, "repairs": 5}, "limits.max_auto_repairs_per_hour", 5),
        ({"target": 50, "repairs": 50, "per_hour": "max_per_hour: 2"}, "actions.allow.restart_service.max_per_hour", 2),
    ],
    ids=["target", "cooldown", "budget", "action"],
)
def test_it_is_reached_by_a_service_that_flaps(tmp_path: Path, given: dict[str, object], by: str, most: int) -> None:
    bounds, loaded = bounds_and(tmp_path, **given)
    # Each restart helps at once, and nothing but the limits keeps the next outage from being repaired as well.
    done = actions(loaded, {"service.web": " ".join(["down", "up x2"] * (SAMPLES // 3)), "service.app": "up"}, 0)
    key = "system_health.web|service:web"
    reached = busiest([event.at for event in done])
    assert exceeded(bounds, done) == []
    if by != "cooldown and backoff":
        assert (bounds.rules[key].most, bounds.rules[key].by) == (most, by)
        assert reached == most
    else:
        # Four attempts of each incident, a backoff apart, would do more than one in ten minutes.
        assert bounds.rules[key].by == by
        assert most - 1 <= reached <= bounds.rules[key].most


def test_it_is_reached_by_two_incidents_that_each_need_every_attempt(tmp_path: Path) -> None:
    bounds, loaded = bounds_and(tmp_path, target=50, repairs=50, cooldown="52m")
    # Each is mended by its fourth attempt; the second begins before the cooldown of the first is over.
    probe = "down x9 up x153 down x60"
    done = actions(loaded, {"service.web": "up", "service.app": "up", "probe.web": probe}, 0)
    bound = bounds.rules["system_health.web|service:web"]
    assert (bound.most, bound.by) == (8, "cooldown and backoff")
    assert busiest([event.at for event in done]) == 8


@pytest.mark.parametrize("given", [{"mode": "observe"}, {"per_hour": "max_per_hour: 0"}, {"repairs": 0}])
def test_what_may_not_act_is_counted_as_nothing(tmp_path: Path, given: dict[str, object]) -> None:
    bounds, _ = bounds_and(tmp_path, **given)
    assert bounds.rules["system_health.web|service:web"].most == 0
    assert bounds.whole.most == (0 if "per_hour" not in given else 4)


def test_several_rules_share_targets_and_budgets(tmp_path: Path) -> None:
    bounds, _ = bounds_and(tmp_path, target=2, repairs=50, housekeeping=1)
    # web and slow restart one service, app another, and the cache has a budget of one.
    assert (bounds.whole.most, bounds.whole.by) == (5, "limits.per_target_per_hour")
