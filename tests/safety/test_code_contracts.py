"""What the source itself promises: one door to the host, one clock, no shell, no text that becomes code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from zen_agents.actions.base import Action
from zen_agents.catalog import ACTIONS, AGENTS, CHECKS, GUARDS, INVERSES, MILD
from zen_agents.model.action import Reversible, Risk
from zen_agents.model.reason import Reason

PACKAGE = Path(__file__).parents[2] / "zen_agents"

#: Who may read a clock besides clock.py, and why that frees no limit.
CLOCK_READERS = {
    "adapters/linux_logs.py": "compared with the times of files, which the kernel takes from the same clock",
    "adapters/linux_logs_journal.py": "compared with the times of the journal's entries, as above",
    "cli/call.py": "what day it is, so that a moment of today is shown without its date",
    "engine/breakers.py": "hands pybreaker a moment on its own clock; what counts is the steady age",
}
#: Who measures how long something takes; adapters and workers may besides, since they wait for what is outside.
STOPWATCHES = {
    "engine/executor.py", "engine/tick.py", "engine/sampler.py", "engine/pulse.py", "cli/approve.py", "cli/status.py",
    "cli/top.py", "doctor/state.py",
}  # fmt: skip
#: Who signals, and how it knows whom.
SIGNALLERS = {
    "adapters/launcher.py": "the group of a child of its own that nobody has reaped",
    "adapters/bounded_child.py": "as above",
    "adapters/linux_control_processes.py": "by pidfd, after the start time was compared",
    "adapters/running_actions.py": "the emergency stop: by pidfd and recorded start time",
    "workers/bounded_run.py": "as above",
    "store/failpoint.py": "itself, where a test asks for it",
}
#: Who starts programs with the environment that it has itself: people's commands, and a worker, whose environment is clean.
INHERITING = {"doctor/bundle.py", "doctor/rights.py", "rehearsal/lines.py", "workers/debian_trial_root.py"}
#: Who adds to the environment that it has: for the same modules in another interpreter, and a worker as above.
ADDING = {"settings/apart.py", "workers/debian_trial.py"}
#: Floors that decide and describe: they change nothing themselves.
LOOKING_ONLY = ("actions", "agents", "alerts", "checks", "guards", "jobs", "model", "ports", "rules")
CHANGES = {
    "chmod", "chown", "fchmod", "fchown", "lchown", "link", "makedirs", "mkdir", "mkfifo", "remove", "removedirs", "rename",
    "renames", "replace", "rmdir", "symlink", "truncate", "ftruncate", "unlink", "write", "kill", "killpg", "fork",
    "posix_spawn", "execv", "execve", "setuid", "setgid",
}  # fmt: skip


@cache
def _sources() -> Mapping[str, ast.Module]:
    """Return every module of the package by its path; parsed where it is asked for, not in each worker that collects."""
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a module with its dotted name, as far as that is plain."""
    for node in ast.walk(_sources()[name]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _users(wanted: Callable[[str, ast.Call], bool]) -> set[str]:
    return {name for name in _sources() for called, node in _calls(name) if wanted(called, node)}


def test_actions_are_executed_by_the_executor_alone() -> None:
    awaited = {
        name
        for name, tree in _sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
        if node.value.func.attr == "execute"
    }
    assert awaited == {"engine/executor.py"}
    scheduled = _users(lambda called, node: called.endswith("create_task") and ".execute(" in ast.unparse(node))
    assert scheduled == set()


def test_only_the_executor_is_handed_the_door_to_the_host() -> None:
    """It gets a factory from the runtime; whoever else names the door declares it, implements it, or is handed it by it."""
    named = {
        name
        for name, tree in _sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id in ("HostControl", "LinuxControl", "LinuxControls")
    }
    outside = {name for name in named if not name.startswith(("actions/", "adapters/"))}
    assert outside <= {"engine/executor.py", "ports/host.py", "wiring/machine.py"}
    factories = {
        name for name in _sources() if not name.startswith("adapters/") and "LinuxControls(" in ast.unparse(_sources()[name])
    }
    assert factories == {"wiring/machine.py"}


def test_no_shell_and_no_text_becomes_code() -> None:
    forbidden = {
        "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "eval", "exec", "__import__",
        "pickle.loads", "pickle.load", "marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
        "asyncio.create_subprocess_shell", "create_subprocess_shell",
    }  # fmt: skip
    assert _users(lambda called, node: called in forbidden) == set()
    shells = _users(lambda called, node: any(word.arg == "shell" for word in node.keywords))
    assert shells == set()
    # A user's rule is parsed to a tree that is walked; it is never compiled to bytecode.
    assert _users(lambda called, node: called == "compile") == set()


def test_no_child_of_the_engine_inherits_its_environment() -> None:
    """What the engine is started with (scripts/engine.env, secrets of people) is for its own process alone."""
    started = ("subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec")
    given = _users(lambda called, node: called in started and any(word.arg == "env" for word in node.keywords))
    assert _users(lambda called, node: called in started and all(word.arg != "env" for word in node.keywords)) == INHERITING
    other = ("subprocess.call", "subprocess.check_call", "subprocess.check_output", "os.posix_spawn", "os.execv", "os.fork")
    assert _users(lambda called, node: called in other) == set()
    whole = ("os.environ", "environ")
    spread = {
        name
        for name in given
        for node in ast.walk(_sources()[name])
        if isinstance(node, ast.Dict)
        and any(key is None and ast.unparse(value) in whole for key, value in zip(node.keys, node.values, strict=True))
    }
    handed = _users(lambda _, node: any(word.arg == "env" and ast.unparse(word.value) in whole for word in node.keywords))
    assert (spread, handed) == (ADDING, set())


def test_only_clock_py_tells_the_time() -> None:
    told = (
        "time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
        "time.clock_gettime", "time.localtime", "time.gmtime", "datetime.datetime.now",
    )  # fmt: skip
    assert _users(lambda called, node: called in told) - {"clock.py"} == set(CLOCK_READERS)
    measured = ("time.monotonic", "time.perf_counter", "perf_counter", "monotonic", "process_time", "time.process_time")
    stopwatches = {
        name for name in _users(lambda called, _: called in measured) if not name.startswith(("adapters/", "workers/"))
    }
    assert stopwatches <= STOPWATCHES | {"clock.py"}


def test_no_task_is_begun_that_nobody_holds() -> None:
    """The loop holds tasks weakly: one of which nothing else knows may be collected half-way, without a word."""
    dropped = [
        f"{name}:{node.lineno}"
        for name, tree in _sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in ("create_task", "ensure_future")
    ]  # fmt: skip
    assert dropped == []


def test_a_signal_never_goes_to_a_number_alone() -> None:
    sent = ("os.kill", "os.killpg", "signal.pidfd_send_signal")
    assert _users(lambda called, node: called in sent) == set(SIGNALLERS)


@pytest.mark.parametrize("floor", LOOKING_ONLY)
def test_what_decides_changes_nothing_by_itself(floor: str) -> None:
    """Actions change the host through the control they are handed; the rest of these floors not at all."""
    names = [name for name in _sources() if name.startswith(f"{floor}/")]
    assert names, "is the floor called otherwise by now?"
    for name in names:
        imported = {
            alias.name.partition(".")[0]
            for node in ast.walk(_sources()[name])
            for alias in (node.names if isinstance(node, ast.Import) else ())
        } | {
            (node.module or "").partition(".")[0] for node in ast.walk(_sources()[name]) if isinstance(node, ast.ImportFrom)
        }  # fmt: skip
        assert not imported & {"subprocess", "shutil", "ctypes", "tempfile", "multiprocessing"}, name
        for called, _ in _calls(name):
            module, _, function = called.rpartition(".")
            assert not (module == "os" and function in CHANGES), f"{name}: {called}"
            assert called != "open", f"{name}: open"
            assert function not in ("write_text", "write_bytes", "touch"), f"{name}: {called}"


def test_every_no_has_a_sentence_and_every_guard_a_why() -> None:
    for reason in Reason:
        assert reason.sentence.endswith(".") and len(reason.sentence) > 15, reason
        assert reason.value == reason.name.lower()
    names = [guard.name for guard in GUARDS]
    assert len(names) == len(set(names))
    for guard in GUARDS:
        assert guard.why.endswith(".") and len(guard.why) > 15, guard.name


def test_each_is_listed_under_its_own_name_and_only_what_is_mild_needs_no_list() -> None:
    assert {name: action.name for name, action in {**ACTIONS, **INVERSES}.items()} == {
        name: name for name in (*ACTIONS, *INVERSES)
    }
    assert {kind: check.kind for kind, check in CHECKS.items()} == {kind: kind for kind in CHECKS}
    assert {name for name, action in ACTIONS.items() if action.risk in (Risk.LOW, Risk.MEDIUM)} == MILD


def test_every_action_says_what_it_may_cost() -> None:
    for action in ACTIONS.values():
        assert action.summary.endswith(".") and action.side_effects.endswith("."), action.name
        assert action.risk and action.reversible and action.budget, action.name
        fields = action.Params.model_fields
        assert fields, f"{action.name} has no parameters: what does it touch?"
        # What it touches is said each time: no default may mean "everything".
        assert any(field.is_required() for field in fields.values()), action.name


def test_an_action_says_that_it_can_be_undone_if_and_only_if_it_has_an_inverse() -> None:
    for action in ACTIONS.values():
        assert (action.inverse is not Action.inverse) == (action.reversible is not Reversible.NO), action.name


def test_an_inverse_is_run_by_hand_alone_and_never_by_a_list() -> None:
    names = {inverse.name for inverse in INVERSES.values()}
    assert names.isdisjoint(ACTIONS)
    for agent in AGENTS.values():
        assert names.isdisjoint(agent.actions), agent.name
