"""A data directory nobody can enter, a key everybody can change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_state, struck

_CONTENT = "kept as it is\n"
_OWNER = "65534:65534"


@dataclass(frozen=True, slots=True)
class WrongPermissions(Fault):
    """`chmod 000` on an application's data directory and `chmod 666` on its private key."""

    name = "wrong_permissions"

    directory: str = "/srv/app/data"
    key: str = "/srv/app/id_rsa"

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(self._record, _CONTENT, mode=0o644)
        host.write_file(self.key, _CONTENT, mode=0o600)
        host.run(["chmod", "0750", self.directory], check=True)
        host.run(["chown", _OWNER, self.directory, self._record, self.key], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("chmod", "0666", self.key), ("chmod", "0000", self.directory))

    def is_gone(self, host: DisposableHost) -> bool:
        return (file_state(host, self.directory), file_state(host, self.key)) == (f"750 {_OWNER}", f"600 {_OWNER}")

    def traces(self) -> Sequence[str]:
        return (f"file {self.directory}", f"file {self.key}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        return [
            f"{path} does not hold what it held" for path in (self._record, self.key) if host.read_file(path) != _CONTENT
        ]

    @property
    def _record(self) -> str:
        return f"{self.directory}/record"
