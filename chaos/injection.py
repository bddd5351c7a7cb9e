"""The one door through which harm is done, and only inside a disposable host."""

from __future__ import annotations

import time
from pathlib import Path

from chaos.faults.base import Fault
from chaos.host import MARKER, DisposableHost


class NotDisposableError(Exception):
    """A fault was about to happen on something that is not a disposable host; nothing was done."""


def inject(fault: Fault, host: DisposableHost) -> float:
    """Let a fault happen on a host that is certainly disposable; NotDisposableError before anything is done otherwise.

    Return the monotonic moment from which time counts: when it took effect if the fault says so, else when it was asked for.
    """
    make_sure_it_is_disposable(host)
    asked_at = time.monotonic()
    took_effect_at = fault.inject(host)
    return asked_at if took_effect_at is None else took_effect_at


def inject_again(fault: Fault, host: DisposableHost) -> None:
    """Let a fault that is there go on, so that its target is another one than before; NotDisposableError as for `inject`."""
    make_sure_it_is_disposable(host)
    fault.again(host)


def make_sure_it_is_disposable(host: DisposableHost) -> None:
    """Return if `host` is one, runs, is not this machine, and holds its own name; NotDisposableError otherwise."""
    if not isinstance(host, DisposableHost) or not host.pid:
        raise NotDisposableError("this is no running disposable host")
    for kind in ("mnt", "pid", "net"):
        if Path(f"/proc/{host.pid}/ns/{kind}").readlink() == Path(f"/proc/self/ns/{kind}").readlink():
            raise NotDisposableError(f"{host.name} shares its {kind} namespace with this machine")
    try:
        held = host.read_file(MARKER).strip()
    except FileNotFoundError:
        held = ""
    if held != host.name:
        raise NotDisposableError(f"{host.name} does not hold its own name in {MARKER}")
