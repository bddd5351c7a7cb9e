"""A monitoring plugin is run as somebody who may do little, within limits, and ended when its time is up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError
from zen_agents.model.plugin import PluginAnswer
from zen_agents.ports.host_plugins import PluginCall

pytestmark = pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not here")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
SH = "/bin/sh"


def ask(tmp_path: Path, *argv: str, user: str = "nobody", timeout: float = 20.0) -> PluginAnswer:
    return asyncio.run(LinuxHost(tmp_path).look().plugin(PluginCall(argv, user, timeout)))


@pytest.mark.parametrize(("status", "level"), [(0, 0), (1, 1), (2, 2), (3, 3), (77, 3)])
def test_its_exit_status_is_its_answer(tmp_path: Path, status: int, level: int) -> None:
    found = ask(tmp_path, SH, "-c", f"echo 'so it is|a=1;2'; exit {status}")
    assert found == (level, "so it is", {"a": 1.0})


def test_arguments_are_arguments_and_nothing_is_read_by_a_shell(tmp_path: Path) -> None:
    assert ask(tmp_path, "/bin/echo", "$(id) ; rm -rf /", "&& true").text == "$(id) ; rm -rf / && true"


@AS_ROOT
def test_it_runs_as_its_account_with_no_way_to_more(tmp_path: Path) -> None:
    told = "id -u; id -G; grep -E 'NoNewPrivs|CapEff' /proc/self/status; ulimit -n; pwd; env | sort"
    found = ask(tmp_path, SH, "-c", f"({told}) | tr '\\n\\t' '  '")
    assert found.text.startswith("65534 65534 ")
    assert "NoNewPrivs: 1" in found.text
    assert "CapEff: 0000000000000000" in found.text
    assert " 256 / " in found.text
    assert "HOME=/nonexistent LANG=C.UTF-8" in found.text


def test_nothing_of_the_engines_environment_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "S3cr3t")
    assert "S3cr3t" not in ask(tmp_path, SH, "-c", "env | tr '\\n' ' '").text


def said_to_run() -> str:
    """Return the command lines of all processes; one that ends meanwhile has none."""
    found = ""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += path.read_text("utf-8", "replace")
    return found


@pytest.mark.parametrize(
    "began",
    [
        "sleep {} & echo up; exit 0",
        "setsid sleep {} & echo up; exit 0",
        "setsid sleep {} & sleep 300",
        "(setsid sleep {} >/dev/null 2>&1 &); sleep 300",
        "(setsid sh -c 'setsid sleep {} & sleep 300' >/dev/null 2>&1 &); sleep 300",
    ],
)
def test_one_that_does_not_end_is_killed_with_all_that_it_began(tmp_path: Path, began: str) -> None:
    mark = f"{time.time_ns() % 10**9 + 10**9}"
    with pytest.raises(HostError, match=r"did not end within 0\.3 s and was killed"):
        ask(tmp_path, SH, "-c", began.format(mark), timeout=0.3)
    wait_for(lambda: mark not in said_to_run(), "the end of all that it began")


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.mark.filterwarnings("error")
def test_one_that_leaves_somebody_behind_who_holds_its_output_costs_no_descriptor(tmp_path: Path) -> None:
    before = open_descriptors()
    with pytest.raises(HostError, match=r"did not end within 0\.3 s"):
        ask(tmp_path, SH, "-c", "setsid sleep 5 & echo up; exit 0", timeout=0.3)
    gc.collect()  # a pipe that nobody closed warns when it is collected
    assert open_descriptors() == before


def test_what_floods_is_read_to_its_end_and_kept_short(tmp_path: Path) -> None:
    found = ask(tmp_path, sys.executable, "-I", "-c", "print('x' * 10**6)", user=str(os.geteuid()), timeout=60)
    assert found.text == "x" * 200


def test_one_that_is_killed_or_not_there_tells_nothing(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="ended by signal 9"):
        ask(tmp_path, SH, "-c", "kill -9 $$")
    with pytest.raises(HostError, match="/nowhere/check_it"):
        ask(tmp_path, "/nowhere/check_it", timeout=5)


@AS_ROOT
def test_what_others_can_write_is_not_run(tmp_path: Path) -> None:
    script = tmp_path / "check_it"
    script.write_text("#!/bin/sh\necho fine\n", encoding="utf-8")
    script.chmod(0o777)
    with pytest.raises(HostError, match="can be changed by others"):
        ask(tmp_path, str(script))


def test_a_plugin_that_people_already_have_works_as_it_is(tmp_path: Path) -> None:
    plugin = "/usr/lib/nagios/plugins/check_dummy"
    if not Path(plugin).exists():
        pytest.skip("needs monitoring-plugins-basic (Debian)")
    assert ask(tmp_path, plugin, "2", "as it is") == (2, "CRITICAL: as it is", {})
    load = ask(tmp_path, plugin.replace("dummy", "load"), "-w", "1000,1000,1000", "-c", "2000,2000,2000")
    assert load.level == 0
    assert set(load.values) == {"load1", "load5", "load15"}
