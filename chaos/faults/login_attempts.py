"""Somebody tries one password after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, interpreter, start_unit, struck

_LOG, _HERE, _THERE = "/var/log/auth.log", "198.51.100.1", "198.51.100.2"
#: Fails unless somebody with the address $1 reaches the port $2 of the host.
_VISIT = "/srv/outside/visit"
_CONNECT = "import socket, sys; socket.create_connection(({to!r}, int(sys.argv[2])), 0.3, (sys.argv[1], 0))"


@dataclass(frozen=True, slots=True)
class LoginAttempts(Fault):
    """A log of failed logins from a stranger and a few from an operator who mistyped.

    Both live in a network of their own beside the host and can reach it; the stranger must not any more.
    """

    name = "login_attempts"
    programs = ("ip",)

    port: int = 2222
    stranger: str = "192.0.2.7"
    operator: str = "10.0.0.5"
    attempts: int = 300
    mistyped: int = 8

    def prepare(self, host: DisposableHost) -> None:
        self._make_network(host)
        host.run(["mkdir", "-p", "/srv/empty"], check=True)
        serve = [*interpreter(), "-m", "http.server", "--bind", "0.0.0.0", "--directory", "/srv/empty", str(self.port)]  # noqa: S104 - inside alone
        start_unit(host, "login", serve)
        wait_until(lambda: accepts(host, self.port), "login.service", seconds=10)
        visit = ["ip", "netns", "exec", "outside", *interpreter(), "-c", f'"{_CONNECT.format(to=_HERE)}"']
        host.write_file(_VISIT, f'#!/bin/sh\nexec {" ".join(visit)} "$@"\n', mode=0o755)
        host.write_file(_LOG, "")
        tried = [(self.stranger, "root")] * self.attempts + [(self.operator, "alice")] * self.mistyped
        host.write_file(f"{self.REMEMBERED}/attempts", "".join(_line(*each, number) for number, each in enumerate(tried)))

    def inject(self, host: DisposableHost) -> float:
        stamp = f"s/^/$(date '+%b %e %H:%M:%S') {host.name} /"
        return struck(host, ("run", "sh", "-c", f'sed "{stamp}" {self.REMEMBERED}/attempts >> {_LOG}'))

    def is_gone(self, host: DisposableHost) -> bool:
        attacked = host.run(["grep", "--quiet", self.stranger, _LOG]).returncode == 0
        return not attacked or not self._reaches(host, self.stranger)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        return [] if self._reaches(host, self.operator) else ["the operator is shut out"]

    def _reaches(self, host: DisposableHost, source: str) -> bool:
        return host.run([_VISIT, source, str(self.port)]).returncode == 0

    def _make_network(self, host: DisposableHost) -> None:
        out = ["netns", "exec", "outside", "ip"]
        for words in (
            ["netns", "add", "outside"],
            ["link", "add", "near", "type", "veth", "peer", "name", "far", "netns", "outside"],
            ["address", "add", f"{_HERE}/24", "dev", "near"], ["link", "set", "near", "up"],
            [*out, "address", "add", f"{_THERE}/24", "dev", "far"], [*out, "link", "set", "far", "up"],
            [*out, "address", "add", f"{self.stranger}/32", "dev", "far"],
            [*out, "address", "add", f"{self.operator}/32", "dev", "far"],
            ["route", "add", "192.0.2.0/24", "via", _THERE], ["route", "add", "10.0.0.0/24", "via", _THERE],
        ):  # fmt: skip
            host.run(["ip", *words], check=True)


def _line(address: str, user: str, number: int) -> str:
    return f"sshd[{4000 + number}]: Failed password for {user} from {address} port {20000 + number} ssh2\n"
