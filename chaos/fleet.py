"""Several disposable hosts on a network of their own: each reaches each other by name, over a cable that can be cut.

Every two hosts have a veth pair of their own, made in their network namespaces alone: nothing of it is seen outside, and it
goes with the hosts. It takes n * (n - 1) / 2 cables, so it is for a handful of hosts.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import combinations
from types import TracebackType

from chaos.host import PATH, DisposableHost, HostUnavailableError
from chaos.host import why_not as why_no_host

_NETWORK = "10.77.0"
_MOST_HOSTS = 16
#: Of a network interface 15, and a number is added.
_LONGEST_NAME = 12


def why_not() -> str:
    """Return why no fleet can be made on this machine, "" if nothing speaks against trying."""
    return why_no_host() or ("" if shutil.which("ip", path=PATH) else "a fleet of disposable hosts needs ip")


class DisposableFleet:
    """Hosts `NAME-1`, `NAME-2` and so on; as a context manager they are started together and stopped.

    Raises ValueError for fewer than two hosts or more than 16, and for a name of more than 12 characters, since cables are
    called after hosts. Starting raises HostUnavailableError and HostTimeoutError as
    a host's does; none is left then.
    """

    def __init__(self, size: int, name: str = "node", *, target: str = "basic.target", room: str = "1g") -> None:
        if not 2 <= size <= _MOST_HOSTS:
            raise ValueError(f"a fleet has 2 to {_MOST_HOSTS} hosts, not {size}")
        if not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"the name of a fleet has 1 to {_LONGEST_NAME} characters: {name!r}")
        self.hosts: Sequence[DisposableHost] = tuple(
            DisposableHost(f"{name}-{number}", target=target, room=room) for number in range(1, size + 1)
        )
        self._running = ExitStack()

    def __enter__(self) -> DisposableFleet:
        if reason := why_not():
            raise HostUnavailableError(reason)
        with ExitStack() as started:
            for host in self.hosts:
                started.callback(host.stop)
            with ThreadPoolExecutor(len(self.hosts)) as starters:
                list(starters.map(DisposableHost.start, self.hosts))
            for one, other in combinations(self.hosts, 2):
                self._lay_cable(one, other)
            for host in self.hosts:
                self._name_the_others(host)
            self._running = started.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.close()

    def __iter__(self) -> Iterator[DisposableHost]:
        return iter(self.hosts)

    def address(self, host: DisposableHost) -> str:
        """Return the address at which the others reach a host."""
        return f"{_NETWORK}.{self.hosts.index(host) + 1}"

    def cut(self, one: DisposableHost, other: DisposableHost) -> None:
        """Part two hosts: what one sends the other is lost until `mend`."""
        _set_link(one, other, "down")

    def mend(self, one: DisposableHost, other: DisposableHost) -> None:
        """Join two hosts again that were parted."""
        _set_link(one, other, "up")
        # With the link its route had gone.
        for near, far in ((one, other), (other, one)):
            self._ip(near, "route", "replace", self.address(far), "dev", far.name, "src", self.address(near))

    def _lay_cable(self, one: DisposableHost, other: DisposableHost) -> None:
        # Each end is called after the host at the far end. The other namespace is named by its pid out here.
        self._ip(one, "link", "add", other.name, "type", "veth", "peer", "name", one.name, "netns", str(other.pid))
        for near, far in ((one, other), (other, one)):
            self._ip(near, "address", "add", self.address(near), "peer", self.address(far), "dev", far.name)
            self._ip(near, "link", "set", far.name, "up")

    def _name_the_others(self, host: DisposableHost) -> None:
        known = "".join(f"{self.address(each)} {each.name}\n" for each in self.hosts)
        host.write_file("/etc/hosts", f"{host.read_file('/etc/hosts')}\n{known}")

    @staticmethod
    def _ip(host: DisposableHost, *words: str) -> None:
        enter = ["nsenter", f"--net=/proc/{host.pid}/ns/net", "--"]
        subprocess.run([*enter, "ip", *words], env={"PATH": PATH}, check=True, capture_output=True, text=True, timeout=20)


def _set_link(one: DisposableHost, other: DisposableHost, state: str) -> None:
    for near, far in ((one, other), (other, one)):
        near.run(["ip", "link", "set", far.name, state], check=True)
