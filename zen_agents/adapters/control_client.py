"""Asks a running engine over its control socket; without asyncio, so that a command starts quickly."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zen_agents.errors import NotAnsweringError, NotRunningError, PermissionDeniedError, ZenError

#: The longest path that the kernel takes for a socket.
_MOST_PATH_BYTES = 107
_HIGHEST_EXIT_CODE = 255
#: Names of the sockets for what changes something, and for looking alone.
_ACTING, _LOOKING = "control.sock", "view.sock"


def ask(path: Path, verb: str, args: dict[str, Any] | None = None, *, timeout_seconds: float = 10.0) -> Any:
    """Ask a running engine and return its result; for the command line, which blocks.

    Raises NotRunningError if there is no engine, NotAnsweringError if there is one that does not answer in time,
    PermissionDeniedError if the socket may not be opened, or what the engine said.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_seconds)
        request = {"verb": verb, "args": args or {}, "before": time.monotonic() + timeout_seconds}
        try:
            with reachable(path) as address:
                sock.connect(address)
            # Whom an engine turns away it has answered before it was asked.
            with contextlib.suppress(ConnectionError):
                sock.sendall(json.dumps(request).encode() + b"\n")
            line = sock.makefile("rb").readline()
        except PermissionError:
            raise _refused(path) from None
        except (TimeoutError, BlockingIOError):
            # A full queue of connections (EAGAIN) is an engine that takes none.
            raise NotAnsweringError(
                f"the engine did not answer within {timeout_seconds:g} s; what it has not begun it will not do. "
                "Look: zen-agents status"
            ) from None
        except OSError:
            raise NotRunningError from None
    return _result(line, path)


def _result(line: bytes, path: Path) -> Any:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise NotRunningError("the engine ended before it had answered; look: zen-agents status") from None
    match answer:
        case {"ok": True, "result": result}:
            return result
        case {"ok": False, "kind": "PermissionDeniedError"} if path.name == _LOOKING:
            raise _refused(path.with_name(_ACTING))
        case {"ok": False, "error": str(text), "exit_code": int(code)} if 0 < code <= _HIGHEST_EXIT_CODE:
            refusal = ZenError(text)
            refusal.exit_code = code
            raise refusal
    raise NotAnsweringError("what answers on the control socket does not speak its language; look: zen-agents version")


def _refused(path: Path) -> PermissionDeniedError:
    from zen_agents.adapters.control_access import why_refused  # noqa: PLC0415  for whoever is refused

    return PermissionDeniedError(f"{path}: {why_refused(path)}")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a path that fits into a socket's address, for as long as the block runs."""
    if len(os.fsencode(path)) <= _MOST_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
