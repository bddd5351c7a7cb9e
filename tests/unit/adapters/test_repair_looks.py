"""What a repair would do is found out once, as long as it holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import changing
from tests.support.datasets import contract, open_to_others
from tests.support.tables import of_orders, sqlite_shop
from zen_agents.adapters import repair_looks
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.datasets.contract import Contract, Repair, RepairKind
from zen_agents.datasets.job import repair_look
from zen_agents.errors import StalePlanError

pytest.importorskip("duckdb")


@pytest.fixture
def host(tmp_path: Path) -> LinuxHost:
    """A host whose engine has a state directory."""
    open_to_others(tmp_path)
    return changing(tmp_path).host


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the data sets that a worker was started for."""
    started: list[str] = []
    really = repair_looks._found

    async def found(look: repair_looks.RepairLook, *more: Any) -> str:
        started.append(look.asked.dataset)
        return await really(look, *more)

    monkeypatch.setattr(repair_looks, "_found", found)
    return started


def looked(host: LinuxHost, asked: Contract) -> str:
    """Return what is known once it was looked at."""
    asyncio.run(host.look().look_at_repair(repair_look(asked), lambda *_: None))
    return host.look().repair_known(repair_look(asked))


def test_files_are_looked_at_once_until_one_is_written_or_another_one_comes(
    host: LinuxHost, workers: list[str], tmp_path: Path
) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("v\n a\n")
    (tmp_path / ".hidden.csv").write_text("v\n")
    asked = replace(contract(tmp_path / "*.csv"), repairs=(Repair(RepairKind.TRIM),))
    first = looked(host, asked)
    again = LinuxHost(host.state_dir)  # an engine that was started anew
    assert looked(again, asked) == first and workers == ["orders"]
    (tmp_path / "c.csv").write_text("v\n c\n")
    assert "c.csv" in looked(again, asked) and len(workers) == 2
    (tmp_path / "c.csv").write_text("v\n  d\n")
    with pytest.raises(StalePlanError, match=r"c\.csv was written"):
        again.look().repair_known(repair_look(asked))
    looked(again, asked)
    looked(again, replace(asked, repairs=(Repair(RepairKind.NORMALISE_WHITESPACE),)))
    assert len(workers) == 4


def test_rows_of_a_table_are_looked_at_again_once_they_were_changed_or_the_engine_started(
    host: LinuxHost, workers: list[str], tmp_path: Path
) -> None:
    asked = of_orders(sqlite_shop(tmp_path), tmp_path)
    assert looked(host, asked) == looked(host, asked) and len(workers) == 1
    host.look().forget_repair("orders")
    with pytest.raises(StalePlanError, match="nobody has looked"):
        host.look().repair_known(repair_look(asked))
    looked(host, asked)
    looked(LinuxHost(host.state_dir), asked)
    assert len(workers) == 3
