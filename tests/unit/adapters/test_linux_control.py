from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import IS_ROOT, OWN_ACCOUNT, Changing, changing, until
from zen_agents.adapters import linux_control_services
from zen_agents.adapters.launcher import checked_argv
from zen_agents.adapters.running_actions import still_running
from zen_agents.errors import (
    ActionFailedError,
    HostError,
    RefusedError,
    StalePlanError,
    UnsafePathError,
)
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_processes import Process

needs_root = pytest.mark.skipif(not IS_ROOT, reason="changes accounts")
SLEEPER = Command(("sleep", "600"), user=OWN_ACCOUNT)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Changing]:
    made = changing(tmp_path)
    yield made
    for path in (made.state_dir / "services").glob("*"):
        pid, start = map(int, path.read_text().split())
        process = made.host.look().process(pid)
        if process is not None and process.start_time == start:
            os.kill(pid, signal.SIGKILL)
    made.controls.close()


def alive(here: Changing, process: Process) -> bool:
    present = here.host.look().process(process.pid)
    return present is not None and present.start_time == process.start_time and present.state not in "ZX"


# -- children -------------------------------------------------------------------------------------------------------------
async def said_before_it_died(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script of Python's that kills itself."""
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[3],
        timeout=60, check=False,
    )  # fmt: skip


async def test_a_child_starts_clean(here: Changing) -> None:
    script = (
        "import json, os, resource, sys; print(json.dumps([dict(os.environ), os.getcwd(), os.getpgrp() == os.getpid(), "
        "os.getsid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd')), os.readlink('/proc/self/fd/0'), "
        "resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_CPU)[0]]))"
    )
    with (here.state_dir / "open").open("w") as stream:
        os.set_inheritable(stream.fileno(), True)
        result = await here.control().run(
            Command((sys.executable, "-c", script), environment=(("LANG", "C"), ("EXTRA", "a b")), timeout_seconds=30.0)
        )
    environment, cwd, group, session, descriptors, stdin, core, cpu = json.loads(result.output)
    assert set(environment) <= {
        "PATH",
        "LANG",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "EXTRA",
        "PWD",
        "OLDPWD",
        "LC_CTYPE",
        "_",
    }
    assert (environment["LANG"], environment["EXTRA"]) == ("C", "a b")
    assert (cwd, group, session, stdin, core, cpu) == ("/", True, True, "/dev/null", 0, 40)
    # The three standard ones, and the one that lists them.
    assert len(descriptors) == 4


async def test_arguments_are_never_read_by_a_shell(here: Changing, tmp_path: Path) -> None:
    odd = ("$(touch /tmp/x)", "; id", "`id`", "a\nb", "*", "", "--", "-n", '"')
    result = await here.control().run(Command((sys.executable, "-c", "import sys; print(sys.argv[1:])", *odd)))
    assert result.output.strip() == str(list(odd))


@pytest.mark.parametrize("argv", [(), ("",), ("-c", "id"), ("echo", "a\0b")])
async def test_odd_commands_are_refused(argv: tuple[str, ...], here: Changing) -> None:
    with pytest.raises(HostError):
        await here.control().run(Command(argv))


async def test_output_is_bounded_and_cannot_move_a_cursor(here: Changing) -> None:
    script = "import sys; sys.stdout.write('x' * 1_000_000 + '\\x1b[2Jend\\x07\\n')"
    result = await here.control().run(Command((sys.executable, "-c", script)))
    assert result.output.endswith("\\x1b[2Jend\\x07\n")
    assert 8000 < len(result.output) < 8300


async def test_how_a_command_ended_is_told(here: Changing) -> None:
    assert (await here.control().run(Command(("sh", "-c", "echo no; exit 7")))).exit_code == 7
    assert (await here.control().run(Command(("sh", "-c", "kill -9 $$")))).exit_code == -9
    missing = await here.control().run(Command((sys.executable, "-c", "pass"), directory="/"))
    assert (missing.exit_code, missing.timed_out) == (0, False)
    with pytest.raises(HostError, match="directory"):
        await here.control().run(Command(("true",), directory="/nowhere/at/all"))


async def test_a_command_that_takes_too_long_is_ended_with_its_whole_group(here: Changing, tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 600 & echo $! > " + str(tmp_path / "pid") + "; wait; sleep 600"
    result = await here.control().run(Command(("sh", "-c", script), timeout_seconds=5.0))
    assert result.timed_out
    assert result.exit_code == -9
    grandchild = int((tmp_path / "pid").read_text())
    await until(lambda: (found := here.host.look().process(grandchild)) is None or found.state in "ZX")


async def test_a_group_whose_leader_heard_the_term_and_left_is_ended_too(here: Changing, tmp_path: Path) -> None:
    deaf = f"trap '' TERM; echo $$ > {tmp_path / 'pid'}; while :; do sleep 0.1; done"
    script = f"sh -c {shlex.quote(deaf)} & while [ ! -s {tmp_path / 'pid'} ]; do sleep 0.05; done; sleep 600"
    result = await here.control().run(Command(("sh", "-c", script), timeout_seconds=5.0))
    assert result.timed_out
    grandchild = int((tmp_path / "pid").read_text())
    await until(lambda: (found := here.host.look().process(grandchild)) is None or found.state in "ZX")


async def test_a_left_over_writer_does_not_hold_the_engine_up(here: Changing) -> None:
    result = await here.control().run(Command(("sh", "-c", "sleep 300 & echo $!"), timeout_seconds=120.0))
    os.kill(int(result.output), signal.SIGKILL)
    assert not result.timed_out


async def test_cancelling_kills_the_child_and_takes_its_record_away(here: Changing) -> None:
    task = asyncio.create_task(here.control().run(Command(("sleep", "600"))))
    record = here.state_dir / "running" / "act-test00"
    await until(lambda: record.exists() and record.read_text().endswith("\n"))
    pid = int(record.read_text().split()[0])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not record.exists()
    await until(lambda: here.host.look().process(pid) is None)


# -- what is let finish ---------------------------------------------------------------------------------------------------
def slow(tmp_path: Path, **changes: Any) -> Command:
    """Return a command that is let finish: it says something, waits for its word, and leaves a mark at its end."""
    waits = f"echo begun; touch {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    script = f"{waits}; echo end; touch {tmp_path}/end"
    return Command(("sh", "-c", script), is_let_finish=True, **changes)


async def test_what_is_let_finish_is_told_like_any_command(here: Changing, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    result = await here.control().run(slow(tmp_path))
    assert (result.exit_code, result.output) == (0, "begun\nend\n")
    assert [path for folder in ("running", "service-logs") for path in (here.state_dir / folder).iterdir()] == []


async def test_neither_its_time_out_nor_a_cancellation_ends_it_and_its_record_stays(here: Changing, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"still runs after 5 s and is let finish: begun"):
        await here.control().run(slow(tmp_path, timeout_seconds=5.0))
    assert still_running(here.state_dir) == ("act-test00",)
    (tmp_path / "go").touch()
    await until((tmp_path / "end").exists)
    for mark in ("go", "begun", "end"):
        (tmp_path / mark).unlink()
    task = asyncio.create_task(here.control("act-test01").run(slow(tmp_path)))
    await until((tmp_path / "begun").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (tmp_path / "go").touch()
    await until((tmp_path / "end").exists)
    await until(lambda: still_running(here.state_dir) == ())


async def test_it_goes_on_when_its_engine_is_killed(here: Changing, tmp_path: Path) -> None:
    script = f"""
import asyncio
from pathlib import Path
from tests.support.changing import changing
from tests.unit.adapters.test_linux_control import slow
async def main():
    await changing(Path({str(tmp_path / "dying")!r})).control().run(slow(Path({str(tmp_path)!r})))
asyncio.run(main())
"""
    (tmp_path / "dying").mkdir()
    words = [sys.executable, "-c", script]
    engine = await asyncio.to_thread(subprocess.Popen, words, cwd=Path(__file__).parents[3])
    await until((tmp_path / "begun").exists)
    engine.kill()
    await asyncio.to_thread(engine.wait)
    assert still_running(tmp_path / "dying" / "state") == ("act-test00",)
    (tmp_path / "go").touch()
    # It writes on, although nobody reads.
    await until((tmp_path / "end").exists)
    await until(lambda: still_running(tmp_path / "dying" / "state") == ())


async def test_at_the_emergency_stop_it_does_not_begin(here: Changing, tmp_path: Path) -> None:
    here.flag.set(by="alice", reason="test", at=datetime(2026, 1, 4, tzinfo=UTC))
    with pytest.raises(RefusedError):
        await here.control().run(slow(tmp_path))
    assert not (tmp_path / "begun").exists()


# -- the record, the word and the stop ------------------------------------------------------------------------------------
async def test_nothing_runs_before_the_intent_is_durable(here: Changing, tmp_path: Path) -> None:
    control = here.controls.held("act-early0")
    task = asyncio.create_task(control.run(Command(("touch", str(tmp_path / "ran")))))
    record = here.state_dir / "running" / "act-early0"
    await until(lambda: record.exists() and record.read_text().endswith("\n"))
    pid, start, since = map(int, record.read_text().split()[:3])
    process = here.host.look().process(pid)
    assert process is not None
    assert (process.start_time, process.session) == (start, pid)
    assert since == start
    assert not (tmp_path / "ran").exists()
    control.release()
    assert (await task).exit_code == 0
    assert (tmp_path / "ran").exists()
    assert not record.exists()


async def test_an_intent_that_was_not_reserved_runs_nothing(here: Changing, tmp_path: Path) -> None:
    control = here.controls.held("act-early0")
    task = asyncio.create_task(control.run(Command(("touch", str(tmp_path / "ran")))))
    await until((here.state_dir / "running" / "act-early0").exists)
    control.abort("the budget is spent")
    with pytest.raises(RefusedError, match="the budget is spent"):
        await task
    control.release()
    with pytest.raises(RefusedError):
        control.check_stop()
    assert not (tmp_path / "ran").exists()


async def test_other_changes_wait_too_or_are_refused_in_the_loop(here: Changing, tmp_path: Path) -> None:
    control = here.controls.held("act-early0")
    with pytest.raises(HostError, match="before its intent was durable"):
        control.open_directory(str(tmp_path))
    waiting = asyncio.create_task(asyncio.to_thread(control.open_directory, str(tmp_path)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    control.release()
    with await waiting as directory:
        assert directory.path == str(tmp_path)


async def test_a_child_whose_engine_died_runs_nothing(here: Changing, tmp_path: Path) -> None:
    script = f"""
import asyncio, os
from pathlib import Path
from tests.support.changing import changing
from zen_agents.ports.host_commands import Command
async def main():
    here = changing(Path({str(tmp_path / "dying")!r}))
    task = asyncio.create_task(here.controls.held("act-x").run(Command(("touch", {str(tmp_path / "ran")!r}))))
    record = here.state_dir / "running" / "act-x"
    while not (record.exists() and record.read_text().endswith("\\n")):
        await asyncio.sleep(0.01)
    print(record.read_text().split()[0], flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    (tmp_path / "dying").mkdir()
    engine = await said_before_it_died(script)
    assert engine.returncode == -9, engine.stderr
    pid = int(engine.stdout)
    await until(lambda: (found := here.host.look().process(pid)) is None or found.state in "ZX")
    assert not (tmp_path / "ran").exists()


async def test_the_emergency_stop_refuses_every_change(here: Changing, tmp_path: Path) -> None:
    control = here.control()
    process = await control.start_service("web", SLEEPER)
    here.flag.set(by="alice", reason="test", at=datetime(2026, 1, 4, tzinfo=UTC))
    with pytest.raises(RefusedError, match="alice"):
        await control.run(Command(("touch", str(tmp_path / "ran"))))
    with pytest.raises(RefusedError):
        await here.control().start_service("other", SLEEPER)
    with pytest.raises(RefusedError):
        await control.stop_process(process, timeout_seconds=1.0)
    with pytest.raises(RefusedError):
        control.signal(process, signal.SIGTERM)
    with pytest.raises(RefusedError):
        control.open_directory(str(tmp_path))
    with pytest.raises(RefusedError):
        control.truncate_descriptor(process, 1, expected_path="/x")
    assert not (tmp_path / "ran").exists()
    assert alive(here, process)


async def test_the_child_itself_looks_at_the_stop_last_of_all(
    here: Changing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The flag appears after the engine looked and before the child does.
    (here.state_dir / "EMERGENCY_STOP").symlink_to("/nowhere")
    monkeypatch.setattr(here.flag, "read", lambda: None)
    with pytest.raises(RefusedError, match="emergency stop"):
        await here.control().run(Command(("touch", str(tmp_path / "ran"))))
    with pytest.raises(RefusedError, match="emergency stop"):
        await here.control().start_service("web", Command(("touch", str(tmp_path / "ran")), user=OWN_ACCOUNT))
    assert not (tmp_path / "ran").exists()


async def test_a_record_that_cannot_be_written_runs_nothing(here: Changing, tmp_path: Path) -> None:
    (here.state_dir / "running").write_text("not a directory")
    with pytest.raises(HostError, match="nothing was run"):
        await here.control().run(Command(("touch", str(tmp_path / "ran"))))
    assert not (tmp_path / "ran").exists()


# -- services -------------------------------------------------------------------------------------------------------------
async def test_a_service_is_found_again_by_pid_and_start_time(here: Changing) -> None:
    process = await here.control().start_service("web", SLEEPER)
    assert (here.state_dir / "services" / "web").read_text() == f"{process.pid} {process.start_time}\n"
    found = here.host.look().service_process("web")
    assert found is not None
    assert found.fingerprint == process.fingerprint
    assert process.session == process.pid
    with pytest.raises(StalePlanError, match="runs already"):
        await here.control().start_service("web", SLEEPER)


async def test_a_service_outlives_its_engine(here: Changing, tmp_path: Path) -> None:
    script = f"""
import asyncio, os
from pathlib import Path
from tests.support.changing import changing
from zen_agents.ports.host_commands import Command
async def main():
    here = changing(Path({str(tmp_path / "dying")!r}))
    process = await here.control().start_service("web", Command(("sleep", "600"), user={OWN_ACCOUNT!r}))
    print(process.pid, process.start_time, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    (tmp_path / "dying").mkdir()
    engine = await said_before_it_died(script)
    pid, start = map(int, engine.stdout.split())
    process = here.host.look().process(pid)
    assert process is not None
    assert process.start_time == start
    assert await here.control().stop_process(process, timeout_seconds=10.0)


async def test_a_dead_service_leaves_no_zombie(here: Changing) -> None:
    process = await here.control().start_service("web", SLEEPER)
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: here.host.look().process(process.pid) is None)
    assert here.host.look().service_process("web") is None


@pytest.mark.parametrize(
    ("argv", "words"),
    [(("no-such-program-at-all",), "not"), ((sys.executable, "-c", "raise SystemExit('port in use')"), "port in use")],
)
async def test_a_service_that_ends_at_once_is_told_with_its_words(
    argv: tuple[str, ...], words: str, here: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes to start it: what it has to say is waited for.
    monkeypatch.setattr(linux_control_services, "_AT_ONCE_SECONDS", 60.0)
    with pytest.raises((ActionFailedError, HostError), match=words):
        await here.control().start_service("web", Command(argv, user=OWN_ACCOUNT))


async def test_a_daemon_that_is_left_behind_is_no_failure(here: Changing, tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'pid'}"
    await here.control().start_service("web", Command(("sh", "-c", script), user=OWN_ACCOUNT, leaves_daemon=True))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
    daemon = here.host.look().process(int((tmp_path / "pid").read_text()))
    assert daemon is not None
    assert not (here.state_dir / "services" / "web").exists()
    assert await here.control().stop_process(daemon, timeout_seconds=10.0)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65])
async def test_service_names_lead_nowhere(name: str, here: Changing) -> None:
    with pytest.raises(HostError, match="plain name"):
        await here.control().start_service(name, SLEEPER)


@needs_root
async def test_root_says_as_whom_a_service_runs(here: Changing) -> None:
    with pytest.raises(RefusedError, match="user"):
        await here.control().start_service("web", Command(("sleep", "600")))


@needs_root
async def test_an_account_gets_its_groups_and_nothing_of_root(here: Changing) -> None:
    script = "id -un; id -Gn; grep -h ^Cap /proc/self/status | cut -f2 | sort -u; echo $HOME; ls /root || :"
    result = await here.control().run(Command(("sh", "-c", script), user="nobody"))
    lines = result.output.splitlines()
    assert lines[:2] == ["nobody", "nogroup"]
    assert lines[2] == "0000000000000000"
    assert "ermission denied" in result.output
    with pytest.raises(HostError, match="no account"):
        await here.control().run(Command(("id",), user="nobody-knows-me"))


@needs_root
async def test_root_runs_only_what_root_alone_may_change(here: Changing, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    assert checked_argv(Command((str(program),), user="root")) == (str(program),)
    program.chmod(0o757)
    with pytest.raises(HostError, match="can be changed by others"):
        await here.control().run(Command((str(program),)))
    program.chmod(0o755)
    os.chown(program, 1234, 0)
    with pytest.raises(HostError, match="can be changed by others"):
        await here.control().start_service("web", Command((str(program),), user="root"))


async def test_what_services_print_does_not_fill_the_disk(here: Changing) -> None:
    script = "import time\nprint('x' * 3_000_000, flush=True)\ntime.sleep(600)"
    await here.control().start_service("web", Command((sys.executable, "-c", script), user=OWN_ACCOUNT))
    log = here.state_dir / "service-logs" / "web"
    await until(lambda: log.stat().st_size > 3_000_000)
    here.controls.keeper.cut_logs()
    assert log.stat().st_size == 0


# -- processes ------------------------------------------------------------------------------------------------------------
async def test_stopping_ends_what_is_left_of_the_session_too(here: Changing, tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'pid'}; exec sleep 601"
    process = await here.control().start_service("web", Command(("sh", "-c", script), user=OWN_ACCOUNT))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
    worker = here.host.look().process(int((tmp_path / "pid").read_text()))
    assert worker is not None
    assert await here.control().stop_process(process, timeout_seconds=10.0)
    await until(lambda: not alive(here, process) and not alive(here, worker))


async def test_a_process_that_ignores_term_is_killed_and_a_suspended_one_hears_it(here: Changing) -> None:
    script = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('on', flush=True)\ntime.sleep(600)"
    stubborn = await here.control().start_service("web", Command((sys.executable, "-c", script), user=OWN_ACCOUNT))
    await until(lambda: here.controls.keeper.said("web") == "on\n")
    assert await here.control().stop_process(stubborn, timeout_seconds=0.2)
    suspended = await here.control().start_service("other", SLEEPER)
    os.kill(suspended.pid, signal.SIGSTOP)
    assert await here.control().stop_process(suspended, timeout_seconds=20.0)
    await until(lambda: not alive(here, suspended) and not alive(here, stubborn))


async def test_a_reused_pid_is_a_stale_plan(here: Changing) -> None:
    process = await here.control().start_service("web", SLEEPER)
    reused = Process(process.pid, process.start_time - 5, 1, "web", "S", 0.0, 0, process.pid)
    with pytest.raises(StalePlanError):
        here.control().signal(reused, signal.SIGKILL)
    with pytest.raises(StalePlanError):
        await here.control().stop_process(reused, timeout_seconds=1.0)
    with pytest.raises(StalePlanError):
        here.control().truncate_descriptor(reused, 1, expected_path="/x")
    assert alive(here, process)


@pytest.mark.parametrize("pid", [1, os.getpid(), 0, -1], ids=["init", "engine", "group", "everybody"])
async def test_init_and_the_engine_itself_are_never_signalled(pid: int, here: Changing) -> None:
    process = here.host.look().process(pid) if pid > 0 else Process(pid, 1, 0, "x", "S", 0.0, 0, 0)
    assert process is not None
    with pytest.raises(UnsafePathError):
        here.control().signal(process, 0)


# -- deleted logs ---------------------------------------------------------------------------------------------------------
WRITER = """
import os, sys, time, mmap
path, mode = sys.argv[1:3]
flags = os.O_CREAT | os.O_RDWR | (os.O_APPEND if mode != "no append" else 0)
fd = os.open(path, flags, 0o644)
os.write(fd, b"x" * 100_000)
if mode == "mapped":
    area = mmap.mmap(fd, 4096)
if mode == "linked":
    os.link(path, path + ".link")
os.unlink(path)
print(fd, flush=True)
for line in sys.stdin:
    os.write(fd, line.encode())
    print(os.fstat(fd).st_size, flush=True)
"""


@pytest.mark.parametrize("mode", ["append", "no append", "mapped", "linked", "other path"])
def test_a_deleted_log_is_truncated_only_under_all_conditions(mode: str, tmp_path: Path) -> None:
    here = changing(tmp_path)
    path = tmp_path / "app.log"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        number = int(writer.stdout.readline())
        process = here.host.look().process(writer.pid)
        assert process is not None
        expected = str(path) if mode != "other path" else str(tmp_path / "other.log")
        if mode == "append":
            Path(f"/proc/{writer.pid}/fd/{number}").chmod(0o600)
            assert here.control().truncate_descriptor(process, number, expected_path=expected) >= 100_000
            writer.stdin.write("next line\n")
            writer.stdin.flush()
            # It goes on where the log now ends, without a hole.
            assert int(writer.stdout.readline()) == len("next line\n")
        else:
            with pytest.raises(UnsafePathError):
                here.control().truncate_descriptor(process, number, expected_path=expected)
            assert Path(f"/proc/{writer.pid}/fd/{number}").stat().st_size == 100_000
        writer.stdin.close()
