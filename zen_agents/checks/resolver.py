"""Whether the name servers of this host answer: each is asked itself, as the host's programs would ask it.

A name server that honestly says that a name does not exist is well, if the others say so too: then it is the name that has
the trouble. A resolv.conf that cannot be read means that nobody can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.model.resolver_file import ResolverFile, read_resolver_file
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_network import NameAnswer

#: Room for what happens around the questions before the sampler gives the check up (seconds).
_SLACK = 1.0
#: What is said of a name, not of who says it.
_ABOUT_THE_NAME = frozenset({"no_such_name", "no_address"})


class ResolverCheck(Probe):
    """Observes `resolver.NAME` (judged; the value is how many seconds the first name server took).

    With `fallbacks` also `resolver.NAME.switched` (judged): a problem while others stand in although the first of the
    file's own name servers answers again.
    """

    kind = "resolver"
    summary = "Does the first name server of this host know the name that it must know?"

    def __init__(
        self, label: str, *, file: str, asks: str, expects: Sequence[str], fallbacks: Sequence[str], every_seconds: float,
        answer_within_seconds: float,
    ) -> None:  # fmt: skip
        super().__init__(
            name=f"resolver.{label}",
            target=f"resolver:{label}",
            every_seconds=every_seconds,
            # Twice: who else knows the name is only asked when the first one does not.
            timeout_seconds=2 * answer_within_seconds + _SLACK,
        )
        self._file, self._asks, self._expects = file, asks, frozenset(expects)
        self._fallbacks, self._answer_within_seconds = tuple(fallbacks), answer_within_seconds

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}.switched") if self._fallbacks else (self.name,)

    def watches(self) -> Sequence[Watch]:
        """Return the file, so that a change of it wakes the engine."""
        return (Watch("path", self._file),)

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask, and say how it went."""
        text = await asyncio.to_thread(lambda: host.read_text(host.real_path(self._file)))
        if not isinstance(text, str):
            raise HostError(f"{self._file} came back as nonsense")
        file = read_resolver_file(text)
        if not self._fallbacks:
            return (await self._own(file, host, now),)
        return tuple(await asyncio.gather(self._own(file, host, now), self._switched(file, host, now)))

    async def _own(self, file: ResolverFile, host: HostView, now: Instant) -> Observation:
        """Judge the first name server: whoever looks a name up waits for it before the next one is asked."""
        if not file.servers:
            raise HostError(f"{self._file} names no name server; nobody can be asked")
        first, *others = file.servers
        answer = await self._ask(host, first)
        if not answer.error:
            said, where = f"{first} knows {self._asks}: {answer.detail}", {"server": first, "error": ""}
            return Observation(self.name, self.target, Status.OK, now, max(0.0, answer.seconds), said, "", where)
        witnesses = [server for server in dict.fromkeys((*others, *self._fallbacks)) if server != first]
        said = f"{first}: {answer.error}: {answer.detail}; {await self._said_by(witnesses, answer, host)}"
        facts = {"server": first, "error": answer.error}
        return Observation(self.name, self.target, Status.PROBLEM, now, max(0.0, answer.seconds), said, "", facts)

    async def _said_by(self, witnesses: Sequence[str], answer: NameAnswer, host: HostView) -> str:
        """Return in words whether others know the name, so that a lost name is told from a lost name server."""
        answers = await asyncio.gather(*(self._ask(host, server) for server in witnesses))
        if knowing := [server for server, other in zip(witnesses, answers, strict=True) if not other.error]:
            return f"{', '.join(knowing)} would know {self._asks}"
        if not witnesses:
            return "there is no other name server to compare with"
        if answer.error in _ABOUT_THE_NAME and all(other.error == answer.error for other in answers):
            return f"all say the same: look at the name {self._asks}, not at the name servers"
        return f"nor does any other ({', '.join(witnesses)}) know {self._asks}: look at this host's network first"

    async def _switched(self, file: ResolverFile, host: HostView, now: Instant) -> Observation:
        name, status = f"{self.name}.switched", Status.OK
        if not file.is_switched:
            said = f"{self._file} names its own name servers"
        else:
            answer = await self._ask(host, file.former[0])
            status = Status.OK if answer.error else Status.PROBLEM
            told = f"does not answer yet ({answer.error})" if answer.error else "answers again"
            said = f"{', '.join(file.servers)} stands in for {file.former[0]}, which {told}"
        return Observation(name, self.target, status, now, None, said)

    async def _ask(self, host: HostView, server: str) -> NameAnswer:
        """Ask one name server; a wrong address is an error too."""
        answer = await host.ask_name(server, self._asks, self._answer_within_seconds)
        if not isinstance(answer, NameAnswer) or not isinstance(answer.error, str):
            raise HostError(f"the answer of {server} came back as nonsense")
        if not answer.error and self._expects and not self._expects.intersection(answer.addresses):
            wanted = ", ".join(sorted(self._expects))
            return answer._replace(error="wrong_address", detail=f"{answer.detail} instead of {wanted}")
        return answer
