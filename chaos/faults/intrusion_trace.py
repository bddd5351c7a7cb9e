"""What somebody leaves behind who means to come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import file_state, struck

_SETUID, _KEYS, _ACCOUNT = "/usr/local/bin/.fetch", "/root/.ssh/authorized_keys", "backdoor"
_OWN, _OTHER = f"{'OwnKeyOfThePeopleHere':A<43}", f"{'KeyOfSomebodyElse':A<43}"
_OWN_KEY = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_OWN} ops@example.com\n"
_HASH = "$6$saltsalt$notarealhashbutoneofitsshape"


@dataclass(frozen=True, slots=True)
class IntrusionTrace(Fault):
    """A setuid program, a second account with uid 0, or a key that nobody knows."""

    name = "intrusion_trace"
    programs = ("useradd",)

    kind: Literal["setuid_file", "root_account", "authorized_key"] = "setuid_file"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["install", "-D", "/bin/true", f"{self.REMEMBERED}/program"], check=True)
        host.run(["install", "-d", "--mode=0700", "/root/.ssh"], check=True)
        host.write_file(_KEYS, _OWN_KEY, mode=0o600)

    def inject(self, host: DisposableHost) -> float:
        if self.kind == "setuid_file":
            return struck(host, ("run", "install", "--mode=4755", f"{self.REMEMBERED}/program", _SETUID))
        if self.kind == "root_account":
            return struck(host, ("run", *self._opened(host)))
        key = _OWN_KEY.replace(_OWN, _OTHER).replace("ops@example.com", "intruder")
        return struck(host, ("run", "sed", "--in-place", f"$a {key.strip()}", _KEYS))

    def _opened(self, host: DisposableHost) -> Sequence[str]:
        """Return what makes the account, or opens it again with another password."""
        if host.run(["getent", "passwd", _ACCOUNT]).returncode == 0:
            return ["usermod", "--expiredate=", f"--password={_HASH}again", _ACCOUNT]
        return ["useradd", "--non-unique", "--uid=0", "--no-create-home", f"--password={_HASH}", _ACCOUNT]

    def is_gone(self, host: DisposableHost) -> bool:
        if self.kind == "setuid_file":
            return not file_state(host, _SETUID).startswith("4")
        if self.kind == "root_account":
            said = host.run(["passwd", "--status", _ACCOUNT])
            return said.returncode != 0 or said.stdout.split()[1] == "L"
        return host.read_file(_KEYS) == _OWN_KEY

    @property
    def ends_by_itself(self) -> bool:
        """A file comes back without setuid, whoever undoes its move."""
        return self.kind == "setuid_file"

    def traces(self) -> Sequence[str]:
        return {
            "setuid_file": (f"file {_SETUID}",),
            "root_account": tuple(f"file /etc/{each}*" for each in ("passwd", "shadow", "group", "gshadow", "sub")),
            "authorized_key": (f"file {_KEYS}",),
        }[self.kind]  # fmt: skip

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = ["-exec", "cmp", "--silent", f"{self.REMEMBERED}/program", "{}", ";", "-print"]
        evidence = {
            "setuid_file": ["find", "/usr/local/bin", "/var/lib", "-type", "f", "-size", "+0", *same],
            "root_account": ["getent", "passwd", _ACCOUNT],
            "authorized_key": ["grep", "--quiet", _OWN, _KEYS],
        }[self.kind]  # fmt: skip
        found = host.run(evidence)
        kept = found.returncode == 0 and (self.kind != "setuid_file" or found.stdout != "")
        return [] if kept else ["what was found, or what was right, is not there any more"]
