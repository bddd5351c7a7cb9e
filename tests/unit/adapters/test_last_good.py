"""Last good configurations on disk, and a configuration's test as a child."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT, OWN_ACCOUNT
from zen_agents.adapters.last_good import LastGood, run_test
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError
from zen_agents.ports.host_commands import Command

WHEN = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.json"
    path.write_text("{}\n")
    path.chmod(0o640)
    return path


def test_what_was_kept_is_found_with_mode_and_owner(tmp_path: Path, site: Path) -> None:
    view = LinuxHost(tmp_path).look()
    assert view.last_good("site") == ()
    view.keep_last_good("site", {str(site): b"{}\n"}, WHEN)
    (version,) = view.last_good("site")
    assert (version.path, version.mode, version.owner, version.kept_at) == (str(site), 0o640, os.geteuid(), WHEN)
    assert view.last_good_content(version) == b"{}\n"
    assert (tmp_path / "last-good").stat().st_mode & 0o077 == 0


def test_only_the_newest_of_each_service_takes_room(tmp_path: Path, site: Path) -> None:
    kept = LastGood(tmp_path)
    for service, content in (("site", b"old"), ("other", b"old"), ("site", b"new"), ("other", b"new")):
        kept.keep(service, {str(site): content}, WHEN)
    assert len([path for path in (tmp_path / "last-good").iterdir() if path.suffix != ".json"]) == 1
    assert kept.content(kept.find("site")[0]) == b"new"


def test_damage_is_told(tmp_path: Path, site: Path) -> None:
    kept = LastGood(tmp_path)
    kept.keep("site", {str(site): b"good"}, WHEN)
    (version,) = kept.find("site")
    (tmp_path / "last-good" / version.sha256).write_bytes(b"evil")
    with pytest.raises(HostError, match="is damaged"):
        kept.content(version)
    (tmp_path / "last-good" / version.sha256).unlink()
    with pytest.raises(HostError, match="is not in"):
        kept.content(version)
    (tmp_path / "last-good" / "site.json").write_text("{")
    with pytest.raises(HostError, match="cannot be read"):
        kept.find("site")
    with pytest.raises(HostError, match="is not the name of a service"):
        kept.find("../site")


def test_a_test_says_how_it_ended(site: Path) -> None:
    program = os.path.realpath(sys.executable)
    script = "import sys; print('odd', file=sys.stderr); sys.exit(3)"
    result = run_test(Command((program, "-c", script, str(site)), OWN_ACCOUNT))
    assert (result.exit_code, result.output.strip(), result.timed_out) == (3, "odd", False)
    slow = Command((program, "-c", "import time; time.sleep(60)"), OWN_ACCOUNT, timeout_seconds=1.0)
    assert run_test(slow).timed_out


@pytest.mark.skipif(not IS_ROOT, reason="only root can change accounts")
def test_a_test_runs_as_its_account() -> None:
    result = run_test(Command(("/usr/bin/id", "-un"), "nobody"))
    assert (result.exit_code, result.output.strip()) == (0, "nobody")
