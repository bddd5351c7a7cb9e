"""The control socket: JSON lines over a Unix socket, with the kernel's word on who asks (R22).

A request is `{"verb": "pause", "args": {...}}`, an answer `{"ok": true, "result": ...}` or
`{"ok": false, "error": text, "exit_code": n}`. Requests are bounded in size, rate and time. There are two sockets: one for
looking, one for acting; the file's group decides who may open which.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from zen_agents.errors import NotRunningError, PermissionDeniedError, UsageError, ZenError
from zen_agents.model.principal import Principal

log = logging.getLogger("zen_agents.control")

#: The largest request, in bytes; an answer may be larger.
MOST_REQUEST_BYTES = 65536
#: Connections at once, and requests a second over all of them.
MOST_CONNECTIONS = 32
MOST_REQUESTS_A_SECOND = 200
#: An idle connection is closed after this many seconds.
IDLE_SECONDS = 30.0

#: Answers one request; `may_act` is False on the socket for looking.
Answerer = Callable[[str, dict[str, Any], Principal, bool], Awaitable[Any]]


class ControlSocket:
    """Serves one socket until it is closed."""

    def __init__(self, path: Path, answer: Answerer, *, may_act: bool, mode: int = 0o600, group: int | None = None) -> None:
        self._path, self._answer, self._may_act, self._mode, self._group = path, answer, may_act, mode, group
        self._server: asyncio.Server | None = None
        self._open = 0
        self._second, self._count = 0, 0

    async def open(self) -> None:
        """Bind and listen; a socket file left by a dead engine is replaced."""
        self._path.unlink(missing_ok=True)
        old = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=MOST_REQUEST_BYTES)
        finally:
            os.umask(old)
        if self._group is not None:
            os.chown(self._path, -1, self._group)
        self._path.chmod(self._mode)

    async def close(self) -> None:
        """Stop listening and remove the socket file."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > MOST_CONNECTIONS:
                await _send(writer, _failure(UsageError("too many connections; try again")))
                return
            who = _peer(writer.get_extra_info("socket"))
            while line := await asyncio.wait_for(reader.readline(), IDLE_SECONDS):
                await _send(writer, await self._respond(line, who))
        except (TimeoutError, ConnectionError, asyncio.LimitOverrunError, ValueError) as error:
            # ValueError: a line longer than the limit. The peer gets no answer, the engine goes on.
            log.debug("control connection closed: %s", error)
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):  # the peer may be gone already
                await writer.wait_closed()

    async def _respond(self, line: bytes, who: Principal) -> dict[str, Any]:
        try:
            self._slow_down()
            request = json.loads(line)
            if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
                raise UsageError('a request is {"verb": NAME, "args": {...}}')
            args = request.get("args") or {}
            if not isinstance(args, dict):
                raise UsageError("args is an object")
            return {"ok": True, "result": await self._answer(request["verb"], args, who, self._may_act)}
        except ZenError as error:
            return _failure(error)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            return _failure(UsageError(f"not a JSON line: {error}"))
        except Exception as error:  # an operator's request never takes the engine down
            log.exception("a control request failed")
            return _failure(ZenError(f"the engine could not answer: {type(error).__name__}: {error}"))

    def _slow_down(self) -> None:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._count > MOST_REQUESTS_A_SECOND:
            raise UsageError("too many requests a second; try again")


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer, separators=(",", ":"), default=str).encode() + b"\n")
    await writer.drain()


def _failure(error: ZenError) -> dict[str, Any]:
    return {"ok": False, "error": str(error), "exit_code": error.exit_code, "kind": type(error).__name__}


def _peer(sock: socket.socket) -> Principal:
    """Return who is on the other end; a person behind sudo is named by the login uid."""
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return Principal(account_name(login_uid(pid, uid)), login_uid(pid, uid))


def login_uid(pid: int, uid: int) -> int:
    """Return the uid that logged in for a process of root, else its own uid."""
    if uid != 0:
        return uid
    try:
        logged_in = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return uid
    # 2**32 - 1 means that nobody logged in: a daemon or a container.
    return uid if logged_in == 2**32 - 1 else logged_in


def account_name(uid: int) -> str:
    """Return the account's name, or `uid N` if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def ask(path: Path, verb: str, args: dict[str, Any] | None = None, *, timeout_seconds: float = 10.0) -> Any:
    """Ask a running engine and return its result; for the command line, which blocks.

    Raises NotRunningError if nobody answers, PermissionDeniedError if the socket may not be opened, or what the engine said.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_seconds)
        try:
            sock.connect(str(path))
        except PermissionError:
            raise PermissionDeniedError(f"{path}: you may not use this; ask to be added to the group zen-ops") from None
        except OSError:
            raise NotRunningError from None
        try:
            sock.sendall(json.dumps({"verb": verb, "args": args or {}}).encode() + b"\n")
            line = sock.makefile("rb").readline()
        except OSError as error:
            raise NotRunningError(f"the engine did not answer within {timeout_seconds:g} s: {error}") from None
    if not line:
        raise NotRunningError("the engine closed the connection without an answer")
    answer = json.loads(line)
    if answer["ok"]:
        return answer["result"]
    refusal = ZenError(answer["error"])
    refusal.exit_code = int(answer["exit_code"])
    raise refusal
