"""What a command hears on the control socket: a result, or an error that names the next step, whoever answers."""

from __future__ import annotations

import contextlib

from chaos.fuzz.given import Peer, folder
from zen_agents.adapters.control_client import ask
from zen_agents.errors import ZenError

SEEDS = (
    b'{"ok":true,"result":{"state":"running"}}\n',
    b'{"ok":false,"error":"no","exit_code":4}\n',
    b"",
    b"{}\n",
    b"[]\n",
    b"null\n",
    b'{"ok":false}\n',
    b'{"ok":true}\n',
    b'{"ok":false,"error":"x","exit_code":"many"}\n',
    b"[" * 100_000,
    b'{"ok":false,"error":1,"exit_code":1e999}\n',
)
WORDS = (b'"ok":', b"true", b"false", b'"result":', b'"error":', b'"exit_code":', b"null", b"\n")
_peer: list[Peer] = []


def fuzz(data: bytes) -> None:
    """Ask somebody who answers with one input."""
    path = folder("control") / "answering.sock"
    if not _peer:
        _peer.append(Peer(path))
    _peer[0].says(data)
    with contextlib.suppress(ZenError):
        ask(path, "status", timeout_seconds=5.0)
