"""Whether a certificate is in order, how long it lasts, and whether its server shows the one that lies in its file.

Its age is a number, for a rule to judge. Chain, name and key are judged here. A server that cannot be reached, a file that
may not be read and a program that is missing say nothing about the certificate, so they are UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.certificate import Certificate, CertificateLook, CertificateQuestion, Seen
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView

_DAY_SECONDS = 86400.0
#: What a look takes beside waiting for the server (seconds), also when it has to wait for its turn.
_SLACK = 20.0


class CertificateCheck(Probe):
    """Observes `certificate.NAME` (judged), `.days_left`, and with both file and server `.loaded` (judged)."""

    __slots__ = ("_answer_within_seconds", "_asked", "_watches")

    kind = "certificate"
    summary = "Is this certificate in order, how many days are left, and does the server show the one in its file?"

    def __init__(
        self, label: str, asked: CertificateQuestion, *, every_seconds: float, answer_within_seconds: float
    ) -> None:
        super().__init__(
            name=f"certificate.{label}",
            target=f"certificate:{label}",
            every_seconds=every_seconds,
            timeout_seconds=2 * answer_within_seconds + _SLACK,
        )
        self._asked, self._answer_within_seconds = asked, answer_within_seconds
        self._watches = tuple(Watch("path", path) for path in (asked.file, asked.key) if path)

    @property
    def observes(self) -> tuple[str, ...]:
        both = (f"{self.name}.loaded",) if self._asked.file and self._asked.server else ()
        return (self.name, f"{self.name}.days_left", *both)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        host, _, port = self._asked.server.rpartition(":")
        return ((host.strip("[]"), int(port)),) if host else ()

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Have both places looked at."""
        look = await host.certificate(self._asked, self._answer_within_seconds)
        if not isinstance(look, CertificateLook):
            raise HostError(f"the look at {self.target} came back with nonsense")
        return (self._judged(look, now), self._days_left(look, now), *self._loaded(look, now))

    def watches(self) -> Sequence[Watch]:
        """Return the files, so that a change of one wakes the engine."""
        return self._watches

    def _judged(self, look: CertificateLook, now: Instant) -> Observation:
        places = (("", self._asked.file, look.file), ("what is shown by ", self._asked.server, look.server))
        seen = [(f"{words}{where}", found) for words, where, found in places if found is not None]
        if faults := [f"{where}: {found.fault}" for where, found in seen if found.fault]:
            return self._observation("", Status.PROBLEM, now, "; ".join(faults))
        if untold := [found.untold for _, found in seen if found.untold]:
            return self._observation("", Status.UNKNOWN, now, "; ".join(untold))
        return self._observation("", Status.OK, now, "in order")

    def _days_left(self, look: CertificateLook, now: Instant) -> Observation:
        """The file's, where there is one: what the server shows is told apart from that."""
        seen = look.file if look.file is not None else look.server
        if seen is None or seen.certificate is None:
            return self._observation(".days_left", Status.UNKNOWN, now, _why(seen))
        found = seen.certificate
        days = (found.not_after - now.wall.timestamp()) / _DAY_SECONDS
        return Observation(
            f"{self.name}.days_left", self.target, Status.OK, now, days, _age(days, found), found.fingerprint,
            {"serial": found.serial, "issuer": found.issuer},
        )  # fmt: skip

    def _loaded(self, look: CertificateLook, now: Instant) -> Sequence[Observation]:
        if look.file is None or look.server is None:
            return ()
        filed, shown = look.file.certificate, look.server.certificate
        if filed is None or shown is None:
            why = _why(look.file if filed is None else look.server)
            return (self._observation(".loaded", Status.UNKNOWN, now, why),)
        if filed.fingerprint == shown.fingerprint:
            return (self._observation(".loaded", Status.OK, now, f"serial {shown.serial}"),)
        said = f"{self._asked.server} shows serial {shown.serial}, {self._asked.file} has {filed.serial}"
        return (self._observation(".loaded", Status.PROBLEM, now, said),)

    def _observation(self, name: str, status: Status, now: Instant, said: str) -> Observation:
        return Observation(f"{self.name}{name}", self.target, status, now, None, said)


def _why(seen: Seen | None) -> str:
    return (seen.untold or seen.fault if seen is not None else "") or "not told"


def _age(days: float, found: Certificate) -> str:
    who = f"serial {found.serial}, issued by {found.issuer}"
    return f"it ended {-days:.1f} days ago ({who})" if days < 0 else f"{days:.1f} days are left ({who})"
