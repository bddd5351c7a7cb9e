"""A command starts quickly because it imports little."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.broken_night import a_broken_night
from tests.support.command_line import WrittenState
from tests.support.engine_process import REPOSITORY
from zen_agents.adapters.state_glance import glance

_PRINT_MODULES = """
import sys
from zen_agents.cli.main import main
main(sys.argv[1:])
print("MODULES", *sorted(sys.modules))
"""


def modules_of(tmp_path: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_MODULES, *words, "--state-dir", str(tmp_path / "none")], cwd=REPOSITORY,
        capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return set(done.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize(
    ("words", "never"),
    [
        (("status", "-q"), {"pydantic", "yaml", "asyncio", "apscheduler", "psutil", "tenacity", "pybreaker"}),
        (("version",), {"pydantic", "yaml", "asyncio", "sqlite3"}),
        (("pause", "--for", "1h", "--reason", "x"), {"pydantic", "yaml", "asyncio", "sqlite3"}),
        (("approve", "apr-1", "--reason", "x", "--yes"), {"pydantic", "yaml", "asyncio", "sqlite3", "dataclasses"}),
        (("deny", "apr-1", "--reason", "x", "--yes"), {"pydantic", "yaml", "asyncio", "sqlite3", "dataclasses"}),
        (("why",), {"pydantic", "yaml", "asyncio", "apscheduler"}),
        (("stop", "--emergency"), {"pydantic", "yaml", "asyncio", "sqlite3"}),
    ],
)
def test_what_a_command_does_not_need_it_does_not_load(tmp_path: Path, words: tuple[str, ...], never: set[str]) -> None:
    loaded = modules_of(tmp_path, *words)
    assert "zen_agents.cli.call" in loaded
    assert loaded & never == set()


def test_the_status_of_a_dead_engine_loads_nothing_but_what_reads_the_state(tmp_path: Path) -> None:
    state = WrittenState(tmp_path / "none")
    a_broken_night(state)
    loaded = modules_of(tmp_path, "status")
    assert "sqlite3" in loaded
    heavy = {"hashlib", "subprocess", "zoneinfo", "shutil", "dataclasses", "logging"}
    ours = {f"zen_agents.{name}" for name in ("adapters.sqlite_store", "ports.store", "model.incident", "model.action")}
    assert not loaded & (heavy | ours)


def test_a_glance_says_what_the_store_says(tmp_path: Path) -> None:
    state = WrittenState(tmp_path / "none")
    a_broken_night(state)
    seen = glance(state.path / "state.db")
    live = [incident for incident in state.store.live_incidents() if incident.opened_at]
    assert live and [(each.id, each.rule, each.detail, each.began_at.wall) for each in live] == list(seen.incidents)
    done = [(row.id, row.action, row.target, row.kind.value, row.reserved_at.wall) for row in state.store.actions(limit=5)]
    assert done == list(seen.actions)
    assert seen.host_name == "web-07"


def test_asking_a_running_engine_loads_no_database(tmp_path: Path) -> None:
    """The client alone, which is all that `status` of a running engine needs besides what prints."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, zen_agents.cli.status, zen_agents.adapters.control_client; print(*sys.modules)"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert not {"sqlite3", "asyncio", "yaml", "pydantic"}.intersection(done.stdout.split())


def test_an_engine_starts_without_what_renders_and_delivers_messages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, zen_agents.cli.run; print(*sys.modules)"], cwd=REPOSITORY,
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert "zen_agents.adapters.outbox_at_rest" in loaded
    never = {"items", "mail", "mail_html", "pages", "sections", "roll_up", "routing", "ordering", "quiet", "evidence"}
    assert not loaded & {"zen_agents.jobs.alert_delivery", *(f"zen_agents.alerts.{name}" for name in never)}


def test_an_engine_does_not_load_what_its_configuration_does_not_use(tmp_path: Path) -> None:
    loaded = modules_of(tmp_path, "run", "-c", str(REPOSITORY / "config" / "default.yaml"), "--max-runtime", "1s")
    house = "zen_agents.agents.system_health.areas"
    assert {name for name in loaded if name.startswith((house, "zen_agents.actions."))} == {
        house, f"{house}.base", f"{house}.listing", "zen_agents.actions.base", "zen_agents.actions.inverse",
    }  # fmt: skip
    assert not loaded & {"importlib.metadata", "unicodedata", "_bz2", "_lzma", "tenacity", "_ssl", "_hashlib"}
    assert not any(
        name.startswith(("zen_agents.packages", "zen_agents.adapters.packages", "packaging", "semver")) for name in loaded
    )
