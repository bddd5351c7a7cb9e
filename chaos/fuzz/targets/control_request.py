"""Requests on the control socket: each line has one answer, which is JSON and says whether it was understood."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from chaos.fuzz.given import folder
from chaos.fuzz.promise import promise
from zen_agents.adapters.control_socket import MOST_REQUEST_BYTES, ControlSocket
from zen_agents.engine.requests import override_of, pause_of, seconds_of, text_of
from zen_agents.errors import UsageError
from zen_agents.model.principal import Principal

SEEDS = (
    b'{"verb":"status","args":{}}\n',
    b'{"verb":"pause","args":{"seconds":60,"scope":"all"},"before":1e18}\n{"verb":"ping"}\n',
    b'{"verb":"act","args":{"action":"repair_data","target":"dataset:a\\u0000","override":["cooldown"],"wait":false}}\n',
    b'{"verb":"judge","args":{"target":["a"],"override":"x","for_seconds":NaN,"pause_seconds":1e999}}\n',
    b'{"verb":1}\n',
    b"[]\n",
    b"[" * 3000 + b"\n",
    b'{"verb":"x","args":[]}\n',
    b'{"verb":"x","before":NaN}\n',
    b"\xff\xfe{\x00\n",
    b'{"verb":"x","before":true}\n',
    b'{"verb":"\\ud800"}\n',
    b"1" * 5000 + b"\n",
)
WORDS = (b'{"verb":"', b'"args":{', b'"before":', b"null", b"1e999", b"\\u0000", b"}\n")
_ASKED_ENOUGH = 40


def _read(args: dict[str, Any]) -> None:
    """Read what is given as all verbs do, those of `data repair` among them."""
    with contextlib.suppress(UsageError):
        promise(text_of(args, "target").isprintable(), "a text that cannot be printed")
    with contextlib.suppress(UsageError):
        promise(0 < seconds_of(args) < float("inf") and (pause_of(args) or 1) > 0, "no length of time")
    with contextlib.suppress(UsageError):
        promise(all(isinstance(each, str) for each in override_of(args)), "a guard that is no name")


async def _echo(verb: str, args: dict[str, Any], who: Principal, may_act: bool) -> Any:
    _read(args)
    return {"verb": verb, "args": args, "who": who.name, "may_act": may_act}


def fuzz(data: bytes) -> None:
    """Send the lines of one input over a real socket, and nothing after them."""
    lines = data.split(b"\n")[:_ASKED_ENOUGH]
    asyncio.run(_asked(b"\n".join(lines)))


async def _asked(data: bytes) -> None:
    path = folder("control") / "control.sock"
    control = ControlSocket(path, _echo, may_act=False)
    await control.open()
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=1 << 24)
        writer.write(data)
        writer.write_eof()
        answers = (await reader.read()).splitlines()
        writer.close()
    finally:
        await control.close()
    for answer in answers:
        said = json.loads(answer)
        promise(isinstance(said["ok"], bool) and ("result" in said) == said["ok"], f"answered {answer[:200]!r}")
    asked = data.split(b"\n") if data else []
    if data.endswith(b"\n"):
        asked.pop()
    if all(len(line) < MOST_REQUEST_BYTES // 2 for line in asked):
        promise(len(answers) == len(asked), f"{len(asked)} lines, {len(answers)} answers")
