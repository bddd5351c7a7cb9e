"""The control socket: JSON lines over a Unix socket, with the kernel's word on who asks (R22).

A request is `{"verb": "pause", "args": {...}, "before": T}`, an answer `{"ok": true, "result": ...}` or
`{"ok": false, "error": text, "exit_code": n}`. After T (CLOCK_MONOTONIC, seconds) nobody waits for it, and it is not done.
Requests are bounded in size, rate and time. There are two sockets: one for looking, one for acting; the file's group decides
who may open which. Only the engine's account may, unless it is root and the groups are there: members of `zen-view` may
look, members of `zen-ops` may act. The state directory is then opened for passing through, not for listing, to one group
(`zen-view` where it is there), so who acts is a member of both.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from zen_agents.adapters.accounts import account_name, login_uid
from zen_agents.adapters.control_access import OPS_GROUP, VIEW_GROUP, group_id
from zen_agents.adapters.control_client import reachable
from zen_agents.errors import UsageError, ZenError
from zen_agents.model.principal import Principal

log = logging.getLogger("zen_agents.control")

#: The largest request, in bytes; an answer may be larger.
MOST_REQUEST_BYTES = 65536
#: Connections at once, and requests a second over all of them: `status` of a thousand rules takes 4 ms of the engine.
MOST_CONNECTIONS = 32
MOST_REQUESTS_A_SECOND = 50
#: An idle connection, and one that does not take its answer, is closed after this many seconds.
IDLE_SECONDS = 30.0

#: Answers one request; `may_act` is False on the socket for looking.
Answerer = Callable[[str, dict[str, Any], Principal, bool], Awaitable[Any]]


class ControlSocket:
    """Serves one socket until it is closed."""

    def __init__(self, path: Path, answer: Answerer, *, may_act: bool, group: int | None = None) -> None:
        self._path, self._answer, self._group = path, answer, group
        #: Whether what changes something may be asked here.
        self.may_act = may_act
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[Any]] = set()
        self._second, self._count = 0, 0

    async def open(self) -> None:
        """Bind and listen; a socket file left by a dead engine is replaced. Raises OSError where none can be made."""
        self._path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with reachable(self._path) as address:
                sock.bind(address)
            if self._group is not None:
                os.chown(self._path, -1, self._group)
            self._path.chmod(0o600 if self._group is None else 0o660)
            # Listening comes last: nobody connects before the file says who may.
            self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=MOST_REQUEST_BYTES)
        except BaseException:
            sock.close()
            raise

    async def close(self) -> None:
        """Stop listening, let go of whoever is connected, and remove the socket file."""
        if self._server is None:
            return
        self._server.close()
        self._path.unlink(missing_ok=True)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio serves each connection in a task
        self._serving.add(task)
        try:
            await self._answer_all(reader, writer)
        except asyncio.CancelledError:
            # The engine ends. Not passed on: asyncio's own callback would complain about it, and nobody waits for this.
            log.debug("control connection ended with the engine")
        except (TimeoutError, ConnectionError, asyncio.LimitOverrunError, ValueError) as error:
            # ValueError: a line longer than the limit. The peer gets no answer, the engine goes on.
            log.debug("control connection closed: %s", error)
            # What it did not take is thrown away.
            writer.transport.abort()
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._serving) > MOST_CONNECTIONS:
            await _send(writer, _failure(ZenError("too many connections; try again")))
            return
        who = _peer(writer.get_extra_info("socket"))
        while line := await _read_line(reader):
            await _send(writer, await self._respond(line, who))

    async def _respond(self, line: bytes, who: Principal) -> dict[str, Any]:
        try:
            self._slow_down()
            verb, args = _request(line)
            return {"ok": True, "result": await self._answer(verb, args, who, self.may_act)}
        except ZenError as error:
            return _failure(error)
        except Exception as error:  # an operator's request never takes the engine down
            log.exception("a control request failed")
            return _failure(ZenError(f"the engine could not answer: {type(error).__name__}: {error}"))

    def _slow_down(self) -> None:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        if self._count > MOST_REQUESTS_A_SECOND:
            raise ZenError("too many requests a second; try again")


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(IDLE_SECONDS):
        return await reader.readline()


def _request(line: bytes) -> tuple[str, dict[str, Any]]:
    """Return verb and arguments of a request; UsageError if it is none, ZenError if it came too late."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a JSON line: {type(error).__name__}: {error}"[:200]) from None
    if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
        raise UsageError('a request is {"verb": NAME, "args": {...}}')
    args = request.get("args", {})
    if not isinstance(args, dict):
        raise UsageError("args is an object")
    _refuse_late(request.get("before"))
    return request["verb"], args


def _refuse_late(before: object) -> None:
    """Refuse what nobody waits for any more: an engine that was hung must not lift a stop that was set since then."""
    if isinstance(before, int | float) and time.monotonic() > before:
        raise ZenError("this came too late: whoever asked has given up; nothing was done")


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer, separators=(",", ":"), default=str).encode() + b"\n")
    async with asyncio.timeout(IDLE_SECONDS):
        await writer.drain()


def _failure(error: ZenError) -> dict[str, Any]:
    return {"ok": False, "error": str(error), "exit_code": error.exit_code, "kind": type(error).__name__}


def socket_groups() -> tuple[int | None, int | None]:
    """Return the ids of the groups that may look and that may act; None for one that is not there, or if not root."""
    return (group_id(VIEW_GROUP), group_id(OPS_GROUP)) if os.geteuid() == 0 else (None, None)


def _peer(sock: socket.socket) -> Principal:
    """Return who is on the other end; a person behind sudo is named by the login uid."""
    pid, uid, _ = struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII")))
    person = login_uid(pid, uid)
    return Principal(account_name(person), person)
