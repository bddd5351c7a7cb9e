"""Names of hosts looked up beside the loop, so that name servers that do not answer hold up nobody."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

_MOST_LOOKUPS = 8
#: So many numeric addresses are known by heart.
_MOST_NUMERIC = 1000

#: (family, socket address) of one address of a host.
Address = tuple[int, tuple[object, ...]]


class Resolver:
    """Looks names up in daemon threads, at most a few at once, so that a hanging DNS server costs no more than those.

    Numeric addresses need no thread. Two probes of one name share a look-up. Used from one event loop.
    """

    def __init__(self, look_up: Callable[..., Sequence[tuple[object, ...]]] = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._running: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses in the order to try them; socket.gaierror if there are none."""
        # A zone names an interface, whose number may be another one later.
        numeric = _numeric(host, port) if "%" not in host else _numeric.__wrapped__(host, port)
        if numeric:
            return numeric
        pending = self._running.get((host, port))
        if pending is None or pending.get_loop() is not asyncio.get_running_loop():
            pending = self._start(host, port)
        # Shielded: whoever gives up waiting leaves the look-up to the others who wait for it.
        return await asyncio.shield(pending)

    def is_asking(self, host: str, port: int) -> bool:
        """Tell whether a look-up of this name has not come back yet."""
        return (host, port) in self._running

    def _start(self, host: str, port: int) -> asyncio.Future[list[Address]]:
        if len(self._running) >= _MOST_LOOKUPS:
            raise socket.gaierror(socket.EAI_AGAIN, f"{_MOST_LOOKUPS} name look-ups are hanging already")
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[list[Address]] = loop.create_future()
        self._running[host, port] = pending
        threading.Thread(target=self._ask, args=(loop, pending, host, port), name="name-lookup", daemon=True).start()
        return pending

    def _ask(self, loop: asyncio.AbstractEventLoop, pending: asyncio.Future[list[Address]], host: str, port: int) -> None:
        answer: list[Address] | Exception
        try:
            answer = _as_addresses(self._look_up(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
        try:
            loop.call_soon_threadsafe(self._tell, pending, host, port, answer)
        except RuntimeError:
            self._running.pop((host, port), None)  # The loop is closed: nobody waits any more.

    def _tell(self, pending: asyncio.Future[list[Address]], host: str, port: int, answer: list[Address] | Exception) -> None:
        if self._running.get((host, port)) is pending:
            del self._running[host, port]
        if isinstance(answer, list):
            pending.set_result(answer)
        else:
            pending.set_exception(answer)
            pending.exception()  # Marks it as seen, should everybody have given up waiting.


@lru_cache(maxsize=_MOST_NUMERIC)
def _numeric(host: str, port: int) -> Sequence[Address]:
    """Return the address that a number stands for, none for a name."""
    if not host.isascii():
        return ()
    try:
        # In bytes: for a text Python loads the tables of international names, 0.7 MB.
        number = host.encode("ascii")
        return tuple(_as_addresses(socket.getaddrinfo(number, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)))
    except socket.gaierror:
        return ()


def _as_addresses(found: Sequence[tuple[object, ...]]) -> list[Address]:
    pairs = ((row[0], row[4]) for row in found)
    return [(family, address) for family, address in pairs if isinstance(family, int) and isinstance(address, tuple)]
