"""Somebody else looks after the same file, and wants it otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_state, program, start_program, struck

_UNIT = "chaos-rival"
_RIGHT, _WRONG = "600", "666"


@dataclass(frozen=True, slots=True)
class RivalController(Fault):
    """A configuration management with another opinion: some time after each repair it gives the file its own mode again."""

    name = "rival_controller"

    path: str = "/srv/app/id_rsa"
    #: How long it takes to notice (seconds).
    every: float = 2.5
    #: Whoever goes on after so many turns does not notice that somebody undoes it.
    most_turns: int = 4

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(self.path, "kept as it is\n", mode=int(_RIGHT, 8))
        host.write_file(self._turns, "")

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("chmod", _WRONG, self.path))
        rival = [*program("rival.py"), self.path, _WRONG, str(self.every), self._turns]
        start_program(host, _UNIT, rival)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return file_state(host, self.path) == f"{_RIGHT} 0:0" and host.run(["systemctl", "is-active", _UNIT]).returncode != 0

    def traces(self) -> Sequence[str]:
        return (f"file {self.path}",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        turns = len(host.read_file(self._turns).splitlines())
        return [f"{self.path} went to and fro {turns} times"] if turns > self.most_turns else []

    @property
    def _turns(self) -> str:
        return f"{self.REMEMBERED}/turns"
