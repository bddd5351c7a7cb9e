"""The control socket: who asks is the kernel's word; whatever is sent is bounded, answered, and never the engine's end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import socket
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zen_agents.adapters import control_socket
from zen_agents.adapters.accounts import account_name, login_uid
from zen_agents.adapters.control_client import ask
from zen_agents.adapters.control_socket import ControlSocket
from zen_agents.errors import NotAnsweringError, NotRunningError, RefusedError, UsageError, ZenError
from zen_agents.model.principal import Principal


class Engine:
    """Answers as an engine would, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], Principal, bool]] = []
        self.hold = asyncio.Event()

    async def answer(self, verb: str, args: dict[str, Any], who: Principal, may_act: bool) -> Any:
        self.asked.append((verb, args, who, may_act))
        if verb == "refuse":
            raise RefusedError("the budget is spent", reason="rate_limit")
        if verb == "break":
            raise RuntimeError("a fault of the engine")
        if verb == "wait":
            await self.hold.wait()
        if verb == "large":
            return "x" * 8_000_000
        if verb not in ("ping", "wait"):
            raise UsageError(f"no {verb!r}")
        return {"you": who.name, "args": args}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def path(engine: Engine, tmp_path: Path) -> AsyncIterator[Path]:
    sock = ControlSocket(tmp_path / "control.sock", engine.answer, may_act=True)
    await sock.open()
    yield tmp_path / "control.sock"
    await sock.close()


async def asked(path: Path, verb: str, **args: Any) -> Any:
    return await asyncio.to_thread(ask, path, verb, args)


async def sent(path: Path, content: bytes, *, lines: int = 1) -> list[dict[str, Any]]:
    """Send bytes and return the answers that come within reason, none if the connection was closed instead."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 24)
    try:
        writer.write(content)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.write_eof()
        answers = []
        async with asyncio.timeout(20):
            for _ in range(lines):
                if line := await _line(reader):
                    answers.append(json.loads(line))
        return answers
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


async def test_it_knows_who_asks(engine: Engine, path: Path) -> None:
    me = pwd.getpwuid(login_uid(os.getpid(), os.geteuid())).pw_name
    assert await asked(path, "ping", a=1) == {"you": me, "args": {"a": 1}}
    _, _, who, may_act = engine.asked[0]
    assert (who.uid, may_act, who.is_person) == (login_uid(os.getpid(), os.geteuid()), True, True)


def test_a_person_behind_sudo_is_named_by_the_login() -> None:
    assert login_uid(1, 1000) == 1000
    assert login_uid(2**22 + 1, 0) == 0
    assert account_name(0) == "root"
    assert account_name(3_999_999) == "uid 3999999"


async def test_only_the_engines_account_may_open_it_unless_a_group_is_named(engine: Engine, tmp_path: Path) -> None:
    for group, mode in ((None, 0o600), (os.getegid(), 0o660)):
        sock = ControlSocket(tmp_path / "a.sock", engine.answer, may_act=False, group=group)
        await sock.open()
        found = (tmp_path / "a.sock").stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (mode, os.getegid())
        await sock.close()
        assert not (tmp_path / "a.sock").exists()


async def test_what_the_engine_says_reaches_the_command_line(path: Path) -> None:
    with pytest.raises(ZenError, match="the budget is spent") as refused:
        await asked(path, "refuse")
    assert refused.value.exit_code == 4
    with pytest.raises(ZenError, match="no 'what'") as unknown:
        await asked(path, "what")
    assert unknown.value.exit_code == 2
    with pytest.raises(ZenError, match="RuntimeError: a fault of the engine"):
        await asked(path, "break")
    assert (await asked(path, "ping"))["args"] == {}


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        await asked(tmp_path / "none.sock", "ping")
    # Left behind by an engine that was killed.
    dead = ControlSocket(tmp_path / "dead.sock", Engine().answer, may_act=True)
    await dead.open()
    assert dead._server is not None
    dead._server.close()
    with pytest.raises(NotRunningError):
        await asked(tmp_path / "dead.sock", "ping")
    again = ControlSocket(tmp_path / "dead.sock", Engine().answer, may_act=True)
    await again.open()
    assert await asked(tmp_path / "dead.sock", "ping")
    await again.close()


async def test_a_place_too_deep_for_a_sockets_address_works(engine: Engine, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    sock = ControlSocket(deep / "control.sock", engine.answer, may_act=True)
    await sock.open()
    assert (await asked(deep / "control.sock", "ping"))["args"] == {}
    await sock.close()


async def test_several_requests_over_one_connection(path: Path) -> None:
    answers = await sent(path, b'{"verb":"ping"}\n{"verb":"refuse"}\n{"verb":"ping"}\n', lines=3)
    assert [answer["ok"] for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"{}\n", b"[]\n", b"null\n", b'{"verb": 1}\n', b'{"verb": "ping", "args": []}\n', b"\xff\xfe\n", b'{"verb"\n',
        b"[" * 50_000 + b"\n", b'{"verb":"ping","args":{"n":' + b"9" * 5000 + b"}}\n", b'{"verb":"\\ud800"}\n',
    ],
)  # fmt: skip
async def test_what_is_no_request_is_told_so(path: Path, line: bytes) -> None:
    answer = (await sent(path, line))[0]
    assert (answer["ok"], answer["exit_code"]) == (False, 2)
    assert len(answer["error"]) < 500
    assert await asked(path, "ping")


async def test_a_request_that_is_too_long_ends_its_connection_only(path: Path) -> None:
    assert await sent(path, b'{"verb":"ping","args":{"x":"' + b"x" * 10_000_000 + b'"}}\n') == []
    assert await asked(path, "ping")


async def test_more_connections_than_allowed_are_turned_away(engine: Engine, path: Path) -> None:
    opened = [await asyncio.open_unix_connection(str(path)) for _ in range(control_socket.MOST_CONNECTIONS)]
    with pytest.raises(ZenError, match="too many connections"):
        await asked(path, "ping")
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(20):
        while True:
            try:
                await asked(path, "ping")
                break
            except ZenError:
                await asyncio.sleep(0.01)


async def test_who_is_turned_away_while_asking_is_told_so(tmp_path: Path) -> None:
    """The answer comes before the question: who could not send all of it has still been answered."""

    def turn_away(listening: socket.socket) -> None:
        with listening.accept()[0] as peer:
            peer.sendall(b'{"ok": false, "error": "too many connections; try again", "exit_code": 1}\n')

    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        turning_away = asyncio.create_task(asyncio.to_thread(turn_away, listening))
        # Larger than what the kernel keeps for a peer: it cannot be sent before the peer has gone.
        with pytest.raises(ZenError, match="too many connections") as refused:
            await asked(path, "ping", much="x" * 8_000_000)
        await turning_away
    assert not isinstance(refused.value, NotRunningError)


async def test_more_requests_than_allowed_are_refused_for_a_moment(path: Path) -> None:
    many = 3 * control_socket.MOST_REQUESTS_A_SECOND
    answers = await sent(path, b'{"verb":"ping"}\n' * many, lines=many)
    assert len(answers) == many
    assert any("too many requests" in answer.get("error", "") for answer in answers)


async def test_one_that_does_not_read_its_answer_is_let_go(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_socket, "IDLE_SECONDS", 0.2)
    caplog.set_level("DEBUG", "zen_agents.control")
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 16)
    writer.write(b'{"verb":"large"}\n')
    async with asyncio.timeout(20):
        while "control connection closed" not in caplog.text:  # noqa: ASYNC110 - its log is all that tells
            await asyncio.sleep(0.01)
    # What was on its way still comes, then the end: the answer as a whole does not.
    size = 0
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(1 << 16):
                size += len(piece)
    assert size < 8_000_000
    writer.close()


async def test_one_that_says_nothing_is_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "IDLE_SECONDS", 0.1)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b'{"verb":')
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_a_request_that_takes_long_does_not_keep_others_waiting(engine: Engine, path: Path) -> None:
    waiting = asyncio.create_task(asked(path, "wait"))
    assert await asked(path, "ping")
    assert not waiting.done()
    engine.hold.set()
    assert await waiting


async def test_an_engine_that_does_not_answer_in_time_is_said(path: Path) -> None:
    with pytest.raises(NotAnsweringError, match=r"did not answer within 0\.1 s"):
        await asyncio.to_thread(ask, path, "wait", {}, timeout_seconds=0.1)


async def test_what_nobody_waits_for_any_more_is_not_done(engine: Engine, path: Path) -> None:
    answer = (await sent(path, b'{"verb":"ping","before":1.0}\n'))[0]
    assert (answer["ok"], engine.asked) == (False, [])
    assert "too late" in answer["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LINES = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda verb, args: json.dumps({"verb": verb, "args": args}).encode(), st.sampled_from(["ping", "x"]), JSON),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=5))
def test_whatever_is_sent_it_goes_on_answering(tmp_path: Path, lines: list[bytes]) -> None:
    async def story() -> None:
        sock = ControlSocket(tmp_path / "f.sock", Engine().answer, may_act=True)
        await sock.open()
        try:
            for line in await sent(tmp_path / "f.sock", b"\n".join(lines) + b"\n", lines=len(lines)):
                assert isinstance(line["ok"], bool)
            assert (await asked(tmp_path / "f.sock", "ping"))["args"] == {}
        finally:
            await sock.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer",
    [
        b"{}", b"[]", b"null", b'{"ok":true}', b'{"ok":false}', b'{"ok":false,"error":1,"exit_code":1}', b"[" * 100_000,
        b'{"ok":false,"error":"x","exit_code":"many"}', b'{"ok":false,"error":"x","exit_code":0}', b'{"ok":1,"result":2}',
    ],
)  # fmt: skip
def test_an_answer_in_another_language_is_told_as_one(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen(1)

        def speak() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(answer + b"\n")
                peer.recv(1)

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(NotRunningError):
            ask(tmp_path / "control.sock", "status")
