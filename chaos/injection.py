"""The one door through which harm is done, and only inside a disposable host."""

from __future__ import annotations

from pathlib import Path

from chaos.faults.base import Fault
from chaos.host import MARKER, DisposableHost


class NotDisposableError(Exception):
    """A fault was about to happen on something that is not a disposable host; nothing was done."""


def inject(fault: Fault, host: DisposableHost) -> None:
    """Let a fault happen on a host that is certainly disposable; NotDisposableError before anything is done otherwise."""
    make_sure_it_is_disposable(host)
    fault.inject(host)


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
