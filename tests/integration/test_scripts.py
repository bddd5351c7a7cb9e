"""The emergency scripts: without Python, without an environment, with a hung engine, a full disk and somebody's traps."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.acting import a_group, a_state, gone, members, record, said_pid
from tests.support.engine_process import REPOSITORY, EngineProcess, answers, free_port, start_time, wait_for, web_config
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.clock import SystemClock

STOP, AUDIT = REPOSITORY / "scripts" / "stop-agents.sh", REPOSITORY / "scripts" / "audit-logs.sh"
Done = subprocess.CompletedProcess[str]
#: Without whatever engine this very host may have.
HIDDEN = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib; exec "$@"', "sh")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts, accounts and ownership need root")


def script(path: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str) -> Done:
    """Run a script with an empty environment."""
    return subprocess.run(
        [*before, "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items()), str(path), *arguments],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, errors="replace",
    )  # fmt: skip


def stop(state: Path, *arguments: str, before: tuple[str, ...] = ()) -> Done:
    return script(STOP, "--emergency", "--state-dir", str(state), *arguments, before=before)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return a_state(tmp_path)


# -- the flag -------------------------------------------------------------------------------------------------------------
def test_the_flag_says_who_when_and_why_on_one_line(state: Path) -> None:
    done = stop(state, "--reason", "runaway\nrestarts \033[2J now")
    assert done.returncode == 0, done.stderr
    text = EmergencyFlag(state, host_flag=state / "none").read()
    assert text is not None
    assert text.startswith("set 20")
    assert text.endswith(": runaway restarts ?[2J now")
    assert text in done.stdout
    again = stop(state, "--reason", "once more")
    assert again.returncode == 0
    assert EmergencyFlag(state, host_flag=state / "none").read() == text


def test_without_a_prepared_file_the_flag_is_made(state: Path) -> None:
    (state / ".emergency-stop-prepared").unlink()
    assert stop(state).returncode == 0
    assert EmergencyFlag(state, host_flag=state / "none").read() is not None
    assert (state / "EMERGENCY_STOP").stat().st_mode & 0o077 == 0


@needs_root
def test_it_needs_neither_python_nor_a_path(state: Path, tmp_path: Path) -> None:
    traces = tmp_path / "ran"
    poison = " && ".join(f"mount --bind {shutil.which('false')} {path}" for path in _pythons())
    with a_group("sleep", "600") as action:
        record(state, action.pid)
        done = stop(state, before=("unshare", "--mount", "sh", "-c", f'{poison or ":"}; exec "$@"', "sh"))
        assert (done.returncode, action.wait(30)) == (0, -signal.SIGKILL), done.stderr
    assert not traces.exists()


def _pythons() -> list[str]:
    return sorted({str(path.resolve()) for path in Path("/usr/bin").glob("python3*") if path.resolve().is_file()})


@needs_root
def test_on_a_full_disk_the_flag_is_set(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=256k") as small:
        state = a_state(small)
        with (small / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(b"x" * 512)
        done = stop(state, "--reason", "full")
        assert done.returncode == 0, done.stdout
        assert "full" in (EmergencyFlag(state, host_flag=state / "none").read() or "")


@needs_root
def test_where_no_flag_can_be_written_the_engine_is_ended(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port), "the service")
    assert engine.process is not None
    frozen = f'mount --bind {engine.state} {engine.state} && mount -o remount,bind,ro {engine.state}; exec "$@"'
    done = stop(engine.state, before=("unshare", "--mount", "sh", "-c", frozen, "sh"))
    assert done.returncode == 1, done.stderr
    assert "COULD NOT BE WRITTEN" in done.stdout
    assert engine.process.wait(30) == -signal.SIGKILL
    assert answers(port)


class mounted:  # noqa: N801 - reads as a verb
    """A small file system of its own at a path."""

    def __init__(self, path: Path, options: str) -> None:
        self._path, self._options = path, options

    def __enter__(self) -> Path:
        self._path.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", self._options, "tmpfs", str(self._path)], check=False)
        if done.returncode != 0:
            pytest.skip("a tmpfs cannot be mounted here")
        return self._path

    def __exit__(self, *error: object) -> None:
        subprocess.run(["umount", "-l", str(self._path)], check=False)


# -- what actions are running ---------------------------------------------------------------------------------------------
def test_a_running_actions_group_is_killed_and_nothing_else(state: Path) -> None:
    with a_group("sh", "-c", "sleep 600 & echo $!; exec sleep 600") as action, a_group("sleep", "600") as other:
        record(state, action.pid)
        child = said_pid(action)
        done = stop(state)
        assert "killed    act-test00" in done.stdout
        assert action.wait(30) == -signal.SIGKILL
        gone(child)
        assert other.poll() is None


def test_what_a_gone_leader_left_behind_is_killed(state: Path) -> None:
    with a_group("sh", "-c", "sleep 600 & echo $!") as action:
        start = start_time(action.pid)
        child = said_pid(action)
        action.wait(30)
        record(state, action.pid, start=start or start_time(child))
        done = stop(state)
        assert "killed" in done.stdout
        gone(child)


@pytest.mark.parametrize("fault", ["another start", "another boot"])
def test_a_number_that_belongs_to_another_process_now_is_not_killed(state: Path, fault: str) -> None:
    with a_group("sh", "-c", "sleep 600 & echo $!; exec sleep 600") as other:
        said_pid(other)
        changed = {"start": (start_time(other.pid) or 0) - 5} if fault == "another start" else {"boot": "of-another-day"}
        record(state, other.pid, **changed)  # type: ignore[arg-type]
        done = stop(state)
        assert "gone      act-test00" in done.stdout
        assert len(members(other.pid)) == 2


@pytest.mark.parametrize("text", ["", "-1 5 5 x\n", "1 1 1 x\n", "$(reboot) 1 1 x\n", "../../etc\n", "0 0 0 0\n"])
def test_a_record_that_is_none_kills_nobody(state: Path, text: str) -> None:
    (state / "running" / "act-odd000").write_text(text)
    done = stop(state)
    assert "no record act-odd000" in done.stdout
    assert done.returncode == 0


def test_a_lock_that_is_none_ends_nobody(state: Path) -> None:
    for text in ("-1\n", "-1 \n", " \n", "1\n", f"{os.getpid()} 5\n"):
        (state / "engine.lock").write_text(text)
        done = script(STOP, "--state-dir", str(state))
        assert done.returncode == 3, (text, done.stdout)


def test_a_package_manager_is_let_finish_unless_told_otherwise(state: Path, tmp_path: Path) -> None:
    dpkg = tmp_path / "dpkg-deb"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", dpkg)
    with a_group("sh", "-c", f"{dpkg} 600 & echo $!; wait") as action:
        record(state, action.pid)
        child = said_pid(action)
        wait_for(lambda: Path(f"/proc/{child}/comm").read_text() == "dpkg-deb\n")
        assert "finishing act-test00" in stop(state).stdout
        assert start_time(child) is not None
        assert "killed    act-test00" in stop(state, "--now").stdout
        gone(child)


def test_the_command_line_judges_records_as_the_script_does(engine: EngineProcess) -> None:
    state = a_state(engine.folder)
    with a_group("sh", "-c", "sleep 600 & echo $!; exec sleep 600") as action, a_group("sleep", "600") as other:
        record(state, action.pid)
        record(state, other.pid, name="act-other0", start=5)
        (state / "running" / "act-odd000").write_text("-1 5 5 x\n")
        done = engine.cli("stop", "--emergency", "-o", "json")
        assert '"act-odd000": "no record"' in done.stdout, done.stderr
        assert '"act-other0": "gone"' in done.stdout
        assert '"act-test00": "killed"' in done.stdout
        assert action.wait(30) == -signal.SIGKILL
        assert other.poll() is None


# -- around a real engine -------------------------------------------------------------------------------------------------
def slow_to_stop(port: int) -> str:
    """Return a configuration whose service takes long to be stopped: an action that runs for minutes."""
    config = web_config(port).replace("timeout: 20s", "timeout: 400s")
    config = config.replace(" cwd: /usr/share\n", ' cwd: /usr/share\n          stop: [/bin/sh, -c, "sleep 600 & wait"]\n')
    return config.replace("        every: 1s\n", "        every: 1s\n        stop_timeout: 300s\n")


@pytest.fixture
def stopping(engine_with: Callable[[str], EngineProcess]) -> Iterator[tuple[EngineProcess, int]]:
    """An engine whose action, asked for by hand, is running now; with its group."""
    engine = engine_with(slow_to_stop(free_port())).start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    engine.cli("act", "restart_service", "web", "--reason", "deploy", "--yes", "--no-wait")
    path = wait_for(lambda: next(iter((engine.state / "running").glob("act-*")), None), "a running action")
    yield engine, int(wait_for(path.read_text).split()[0])


def test_a_hung_engine_is_stopped_and_its_service_left_alone(stopping: tuple[EngineProcess, int]) -> None:
    engine, group = stopping
    assert engine.process is not None
    web = engine.service_pid()
    engine.process.send_signal(signal.SIGSTOP)
    try:
        done = stop(engine.state, "--reason", "it hangs")
        assert done.returncode == 0
        assert "killed    act-" in done.stdout
        wait_for(lambda: not members(group), "the end of the action")
        assert engine.service_pid() == web
    finally:
        engine.process.send_signal(signal.SIGCONT)
    wait_for(lambda: "EMERGENCY STOP" in " ".join((engine.status() or {"abnormal": []})["abnormal"]), "the stop")
    wait_for(lambda: [a["outcome"] for a in engine.actions()][-1] not in ("running", "verifying"), "the outcome")


def test_with_the_engine_dead_what_it_started_is_still_found(stopping: tuple[EngineProcess, int]) -> None:
    engine, group = stopping
    engine.kill()
    assert members(group)
    assert "killed    act-" in stop(engine.state).stdout
    wait_for(lambda: not members(group), "the end of the action")


def test_a_polite_stop_ends_the_engine_and_leaves_the_service(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port), "the service")
    done = script(STOP, ZEN_AGENTS_STATE_DIR=str(engine.state))
    assert (done.returncode, "asked the engine" in done.stdout) == (0, True), done.stderr
    assert engine.process is not None
    assert engine.process.wait(60) == 143
    assert answers(port)
    assert script(STOP, "--state-dir", str(engine.state)).returncode == 3


# -- where the state is ---------------------------------------------------------------------------------------------------
@needs_root
def test_the_state_is_found_by_flag_variable_pointer_and_place(tmp_path: Path) -> None:
    states = {name: a_state(tmp_path / name) for name in ("flag", "variable", "pointer", "place")}
    run = tmp_path / "run" / "zen-agents"
    run.mkdir(parents=True)
    (run / "state-dir").write_text(f"{states['pointer']}\n")
    (tmp_path / "home").mkdir()
    states["place"].rename(tmp_path / "home" / "zen-agents")
    places = {"XDG_STATE_HOME": str(tmp_path / "home")}
    copy = copied(tmp_path)

    def looked_in(*arguments: str, **environment: str) -> str:
        return script(copy / "audit-logs.sh", *arguments, before=HIDDEN, **environment).stdout

    pointer = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    variable = {"ZEN_AGENTS_STATE_DIR": str(states["variable"])}
    assert str(states["flag"]) in looked_in("--state-dir", str(states["flag"]), **variable, **pointer, **places)
    assert str(states["variable"]) in looked_in(**variable, **pointer, **places)
    assert str(states["pointer"]) in looked_in(**pointer, **places)
    assert str(tmp_path / "home" / "zen-agents") in looked_in(**places)


def copied(folder: Path) -> Path:
    """Copy the scripts, so that the place beside them is empty."""
    target = folder / "elsewhere" / "scripts"
    target.mkdir(parents=True)
    for name in ("audit-logs.sh", "stop-agents.sh", "find-state.sh"):
        shutil.copy(REPOSITORY / "scripts" / name, target)
    return target


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (STOP, AUDIT):
        done = script(path, "--state-dir", str(tmp_path / "nowhere"))
        assert (done.returncode, "no directory" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    "arguments",
    [["--state-dir"], ["--reason"], ["--emergency", "--reason"], ["--what"], ["extra"]],
)
def test_wrong_usage_of_the_stop_ends_with_2_and_stops_nothing(state: Path, arguments: list[str]) -> None:
    assert script(STOP, *arguments, ZEN_AGENTS_STATE_DIR=str(state)).returncode == 2
    assert not (state / "EMERGENCY_STOP").exists()


# -- root believes only root ----------------------------------------------------------------------------------------------
@needs_root
def test_as_root_a_record_of_somebody_else_kills_nobody(state: Path) -> None:
    with a_group("sleep", "600") as victim:
        os.chown(record(state, victim.pid), 65534, 65534)
        (state / "running" / "act-link00").symlink_to(record(state, victim.pid, name="other"))
        done = stop(state)
        assert done.stdout.count("left      act-") == 2
        assert victim.poll() is None


@needs_root
def test_as_root_a_pointer_of_somebody_else_leads_nowhere(state: Path, tmp_path: Path) -> None:
    pointer = tmp_path / "run" / "zen-agents" / "state-dir"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(f"{state}\n")
    os.chown(pointer, 65534, 65534)
    done = script(copied(tmp_path) / "stop-agents.sh", "--emergency", XDG_RUNTIME_DIR=str(tmp_path / "run"), HOME="/nowhere",
                  before=HIDDEN)  # fmt: skip
    assert (done.returncode, list(state.glob("EMERGENCY*"))) == (3, []), done.stdout


@needs_root
def test_as_root_a_flag_in_somebody_elses_directory_is_set_without_following_anything(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (state / ".emergency-stop-prepared").unlink()
    (state / ".emergency-stop-prepared").symlink_to(victim)
    os.chown(state, 65534, 65534)
    assert stop(state).returncode == 0
    assert victim.read_text() == "precious"
    assert EmergencyFlag(state, host_flag=state / "none").read() is not None
    assert (state / "EMERGENCY_STOP").owner() == "root"

    trap = a_state(tmp_path / "trap")
    (trap / "EMERGENCY_STOP").symlink_to(tmp_path / "made-by-root")
    os.chown(trap, 65534, 65534)
    assert stop(trap).returncode == 0
    assert not (tmp_path / "made-by-root").exists()
    assert EmergencyFlag(trap, host_flag=trap / "none").read() is not None


@needs_root
def test_somebody_who_may_not_is_told_so(state: Path) -> None:
    scripts = copied(state.parent)
    state.parent.chmod(0o755)
    # Through a place that others may reach, which is not where tests keep their files.
    as_nobody = f'mount --bind {state.parent} /mnt; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
    done = script(Path("/mnt") / scripts.relative_to(state.parent) / "stop-agents.sh", "--emergency",
                  "--state-dir", "/mnt/state", before=("unshare", "--mount", "sh", "-c", as_nobody, "sh"))  # fmt: skip
    assert (done.returncode, "you may not" in done.stderr) == (77, True), (done.stdout, done.stderr)
    assert not (state / "EMERGENCY_STOP").exists()


# -- audit-logs.sh --------------------------------------------------------------------------------------------------------
def written(state: Path, *ages: float, detail: str = "connection refused") -> None:
    log, now = ActionLogFile(state / "actions.log"), SystemClock().now()
    for age in ages:
        log.write(now.after(-age), "INTENT", f"act-{age:.0f}", action="restart_service", target="service:web", by="engine",
                  outcome="-", detail=detail)  # fmt: skip


def shown(state: Path, *arguments: str) -> list[str]:
    done = script(AUDIT, "--state-dir", str(state), *arguments)
    assert done.returncode == 0, done.stderr
    return [word for line in done.stdout.splitlines() for word in line.split() if word.startswith("act-")]


@pytest.mark.parametrize(
    ("last", "count"),
    [("90s", 1), ("90m", 3), ("15m", 2), ("1h", 2), ("01h", 2), ("08h", 4), ("1d", 4), ("7d", 5), ("0s", 0)],
)
def test_only_the_last_while_is_shown(state: Path, last: str, count: int) -> None:
    written(state, 604_000, 20_000, 5_000, 800, 5)
    assert len(shown(state, "--last", last)) == count
    assert len(shown(state)) == 5


@pytest.mark.parametrize("last", ["", "15", "h", "-1h", "1.5h", "1h30m", "1 h", "$(id)", "9999999999d", "1w", "٣h"])
def test_a_duration_that_is_none_ends_with_2(state: Path, last: str) -> None:
    written(state, 5)
    done = script(AUDIT, "--last", last, "--state-dir", str(state))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_nothing_in_the_log_can_move_the_cursor(state: Path) -> None:
    written(state, 5)
    with (state / "actions.log").open("ab") as log:
        now = int(time.time())
        evil = b"\x1b]0;x\x07\x1b[2J\r\x08\x7f\x9b2J\xc2\x9b2J\xe2\x80\xae"
        log.write(b"2026-01-01T00:00:00Z\t%d\tINTENT\tact-evil\t%s\tt\tby\tdone\t%s\n" % (now, evil, evil))
    done = subprocess.run([AUDIT, "--state-dir", state], capture_output=True, check=True)
    assert b"act-evil" in done.stdout
    assert set(done.stdout) <= {0x0A, *range(0x20, 0x7F)}


def test_lines_that_are_none_are_passed_over_and_the_rotated_half_comes_first(state: Path) -> None:
    written(state, 50)
    (state / "actions.log").rename(state / "actions.log.1")
    written(state, 5)
    with (state / "actions.log").open("a") as log:
        log.write("half a line\n\t\t\n")
    assert shown(state) == ["act-50", "act-5"]


def test_no_log_yet_is_no_error(state: Path) -> None:
    done = script(AUDIT, "--state-dir", str(state))
    assert (done.returncode, "nothing was done yet" in done.stdout) == (0, True)


def test_the_scripts_pass_shellcheck() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    paths = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "scripts").iterdir() if _is_shell(path))
    adapters = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "zen_agents").rglob("*.sh"))
    done = subprocess.run(
        ["shellcheck", "-x", *paths, *adapters], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def _is_shell(path: Path) -> bool:
    return path.suffix == ".sh" or (path.is_file() and path.read_bytes()[:9] == b"#!/bin/sh")
