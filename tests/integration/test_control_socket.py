"""Who may ask a running engine for what, and that nothing that is asked ends it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.engine_process import EngineProcess, free_port, wait_for, web_config
from zen_agents.adapters.control_client import ask
from zen_agents.errors import ZenError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="accounts and mounts need root")


def test_the_socket_for_looking_looks_and_does_not_act(engine: EngineProcess) -> None:
    engine.start()
    view = engine.state / "view.sock"
    assert ask(view, "status")["host"]
    for verb in ("pause", "resume", "act", "ack", "reload", "safe_mode", "breaker_reset", "stop", "resume_emergency"):
        with pytest.raises(ZenError, match=r"control\.sock: only looking is open now") as refused:
            ask(view, verb, {"reason": "x", "for_seconds": 60, "on": True, "confirm": "x"})
        assert refused.value.exit_code == 77
    status = engine.status()
    assert status is not None
    assert not status["abnormal"]


def test_a_person_who_acts_is_named_in_the_ledger(engine: EngineProcess) -> None:
    engine.start()
    ask(engine.state / "control.sock", "pause", {"scope": "web", "for_seconds": 60, "reason": "deploy"})
    me = ask(engine.state / "control.sock", "ping")["you"]
    entry = next(e for e in engine.events() if e["kind"] == "human")
    assert (entry["actor"], entry["body"]["reason"]) == (me, "deploy")
    assert f"\tHUMAN\tpause\tpause\ttarget:service:web\t{me}\t" in (engine.state / "actions.log").read_text()


def test_the_state_is_for_the_engines_account_alone(engine: EngineProcess) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    found = [engine.state, *engine.state.rglob("*")]
    assert {path.name for path in found if path.lstat().st_mode & 0o077} == set()


def test_an_end_with_somebody_connected_is_quick_and_quiet(engine: EngineProcess) -> None:
    engine.start()
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(engine.state / "view.sock"))
        assert engine.stop() == 143
        assert idle.recv(1) == b""
    assert "Traceback" not in engine.log.read_text()
    assert not (engine.state / "view.sock").exists()


# -- two groups -----------------------------------------------------------------------------------------------------------
VIEW, OPS = 64_001, 64_002


@pytest.fixture
def shared(engine: EngineProcess) -> Iterator[EngineProcess]:
    """An engine on a host that has the two groups, with its state where others can come near."""
    place = Path(tempfile.mkdtemp(prefix="zen-"))
    place.chmod(0o755)
    made = EngineProcess(place, web_config(free_port()))
    groups = place / "group"
    groups.write_text(f"{Path('/etc/group').read_text()}zen-view:x:{VIEW}:\nzen-ops:x:{OPS}:\n")
    made.before = ("unshare", "--mount", "sh", "-c", f'mount --bind {groups} /etc/group && exec "$@"', "sh")
    yield made
    made.close()
    shutil.rmtree(place, ignore_errors=True)


def asked_as(groups: str, path: Path, verb: str, **args: Any) -> dict[str, Any] | str:
    """Ask as an account that is nobody but for its groups; return the answer, or why there is none."""
    script = (
        "import socket,sys,os\ns=socket.socket(socket.AF_UNIX)\n"
        "try: s.connect(sys.argv[1])\nexcept OSError as e: sys.exit('no: '+e.strerror)\n"
        "s.sendall(sys.argv[2].encode()+b'\\n'); print(s.makefile().readline())"
    )
    member = ["--groups", groups] if groups else ["--clear-groups"]
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", *member, "/usr/bin/python3", "-c", script, str(path),
         json.dumps({"verb": verb, "args": args})],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    answer: dict[str, Any] | str = json.loads(done.stdout) if done.stdout else done.stderr.strip()
    return answer


@needs_root
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs a python that every account may run")
def test_two_groups_decide_who_looks_and_who_acts(shared: EngineProcess) -> None:
    shared.start()
    view, control = shared.state / "view.sock", shared.state / "control.sock"
    assert (view.stat().st_gid, view.stat().st_mode & 0o777) == (VIEW, 0o660)
    assert (control.stat().st_gid, control.stat().st_mode & 0o777) == (OPS, 0o660)
    assert (shared.state.stat().st_gid, shared.state.stat().st_mode & 0o777) == (VIEW, 0o710)

    looking = asked_as(str(VIEW), view, "status")
    assert isinstance(looking, dict)
    assert looking["ok"]
    assert asked_as(str(VIEW), control, "status") == "no: Permission denied"
    refused = asked_as(str(VIEW), view, "pause", scope="web", for_seconds=60, reason="no")
    assert isinstance(refused, dict)
    assert refused["exit_code"] == 77

    acting = asked_as(f"{VIEW},{OPS}", control, "pause", scope="web", for_seconds=60, reason="deploy")
    assert isinstance(acting, dict)
    assert acting["ok"], acting
    assert next(e for e in shared.events() if e["kind"] == "human")["actor"] == "nobody"
    for path in (view, control):
        assert asked_as("", path, "status") == "no: Permission denied"
    # Passing through is not reading: nothing else of the state is to be had.
    assert {path.name for path in shared.state.rglob("*") if path.lstat().st_mode & 0o077} == {"view.sock", "control.sock"}
    shared.stop()
    shared.start()
    assert isinstance(asked_as(str(VIEW), view, "status"), dict)


# -- whatever is asked ----------------------------------------------------------------------------------------------------
_VERBS = "ping status judge act ack pause resume reload safe_mode breaker_reset resume_emergency ?"
_NAMES = "scope for_seconds reason confirm on target action incident override acknowledged breaker wait keep_acting x"
_WORDS = "web host service:web system_health.web restart_service @last / \0"
VERBS, NAMES, WORDS = (st.sampled_from(words.split(" ")) for words in (_VERBS, _NAMES, _WORDS))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
REQUESTS = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda verb, args: json.dumps({"verb": verb, "args": args}).encode(), VERBS, st.dictionaries(NAMES, VALUES)),
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for all that is tried on it."""
    made = EngineProcess(tmp_path_factory.mktemp("fuzzed"), web_config(free_port(), limits=", max_auto_repairs_per_hour: 0"))
    made.start()
    yield made
    made.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(["control.sock", "view.sock"]), lines=st.lists(REQUESTS, min_size=1, max_size=4))
def test_no_request_ends_the_engine_or_surprises_it(lasting: EngineProcess, name: str, lines: list[bytes]) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(str(lasting.state / name))
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"\n".join(line.replace(b"\n", b"") for line in lines) + b"\n")
            answer = json.loads(sock.makefile("rb").readline() or b'{"ok": false}')
            assert isinstance(answer["ok"], bool)
    # So many requests come at once that some are turned away for a moment.
    assert wait_for(lasting.status, "a status")
    # Whatever was wrong with it was told as such: a person's mistake, not the engine's.
    assert "a control request failed" not in lasting.log.read_text()


def test_after_all_that_its_ledger_is_whole(lasting: EngineProcess) -> None:
    assert lasting.process is not None
    assert lasting.process.poll() is None
    assert lasting.cli("audit", "verify").returncode == 0
