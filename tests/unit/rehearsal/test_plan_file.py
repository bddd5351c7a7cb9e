"""A plan in a file: it holds what would run, and tells in what a host is no longer as it was planned for."""

from __future__ import annotations

from pathlib import Path

import pytest

from zen_agents.errors import UsageError
from zen_agents.rehearsal.plan_file import PlanFile, Planned

WHAT = "restart_service service:web (system_health.web)"


def planned(digest: str = "d1", target: str = "service:web") -> Planned:
    return Planned(rule="system_health.web", action="restart_service", target=target, digest=digest, steps=("run it",))


def plan(*wanted: Planned, host: str = "web-07", config: str = "c1", mode: str = "enforce") -> PlanFile:
    return PlanFile(host=host, config=config, mode=mode, agents=(), at="2026-11-21T03:14:00+00:00", planned=wanted)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(plan(planned()).text(), encoding="utf-8")
    assert PlanFile.read(file) == plan(planned())
    assert PlanFile.read(file).digests == {"d1"}


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "zen-agents/plan/v1"}', plan().text()[:-5]])
def test_what_is_no_plan_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "p.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is no plan"):
        PlanFile.read(file)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (plan(planned()), []),
        (plan(planned(), host="web-08"), ["it is for host web-07, and this is web-08"]),
        (plan(planned(), config="c2"), ["the configuration has changed"]),
        (plan(), [f"{WHAT} would no longer run"]),
        (plan(planned("d2")), [f"{WHAT} would run otherwise: its target or its steps have changed"]),
        (plan(planned(), planned(target="service:db")), [f"{WHAT.replace('web ', 'db ')} would run as well"]),
    ],
)  # fmt: skip
def test_what_has_moved_is_named(now: PlanFile, said: list[str]) -> None:
    assert plan(planned()).moved(now) == said
