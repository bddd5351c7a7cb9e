"""Metrics for Prometheus: a file that node_exporter collects, and an endpoint. Imported only where they are configured."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from zen_agents.adapters.durable_file import replace_at_once
from zen_agents.errors import ZenError
from zen_agents.telemetry.exposition import CONTENT_TYPE

log = logging.getLogger("zen_agents.metrics")

#: A request may take so long (seconds) and be so large (bytes); so many are served at once.
_WITHIN, _MOST_BYTES, _MOST_AT_ONCE = 5.0, 8192, 8

#: Returns everything in Prometheus' text format; raises ZenError if it cannot be told.
Measure = Callable[[], Awaitable[str]]


class MetricsExport:
    """Writes and serves until it is closed. What fails is logged and nothing else: metrics never stop the engine."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._server: asyncio.Server | None = None
        self._writing: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._trouble = ""

    async def open(self, *, file: Path | None, every_seconds: float, listen: tuple[str, int] | None) -> None:
        """Begin to write the file, once now, and to listen."""
        if file is not None:
            self._writing = asyncio.create_task(self._keep_writing(file, every_seconds), name="metrics")
        if listen is not None:
            try:
                self._server = await asyncio.start_server(self._serve, *listen, limit=_MOST_BYTES)
            except OSError as error:
                log.error("metrics are not served at %s:%d: %s", *listen, error.strerror or error)

    async def close(self) -> None:
        """Stop writing and listening; the file stays, and grows old."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._serving, *([self._writing] if self._writing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def port(self) -> int | None:
        """The port that is listened on, None if none is."""
        sockets = self._server.sockets if self._server else ()
        return int(sockets[0].getsockname()[1]) if sockets else None

    # -- the file -----------------------------------------------------------------------------------------------------
    async def _keep_writing(self, file: Path, every_seconds: float) -> None:
        while True:
            try:
                replace_at_once(file, (await self._measure()).encode())
                self._told("")
            except (OSError, ZenError) as error:
                self._told(f"the metrics were not written to {file}: {getattr(error, 'strerror', None) or error}")
            await asyncio.sleep(every_seconds)

    def _told(self, trouble: str) -> None:
        """Log a fault once, not every few seconds."""
        if trouble and trouble != self._trouble:
            log.error("%s", trouble)
        self._trouble = trouble

    # -- the endpoint -------------------------------------------------------------------------------------------------
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio serves each connection in a task
        self._serving.add(task)
        try:
            async with asyncio.timeout(_WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("a request for metrics ended early: %s", error)
            writer.transport.abort()
        except asyncio.CancelledError:
            # The engine ends, or the configuration is another one.
            writer.transport.abort()
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split()
        if len(self._serving) > _MOST_AT_ONCE:
            return _response("503 Service Unavailable", "too many requests at once\n")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", "not HTTP\n")
        if words[0] not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "only GET\n")
        if words[1].partition(b"?")[0] != b"/metrics":
            return _response("404 Not Found", "look at /metrics\n")
        try:
            text = await self._measure()
        except ZenError as error:
            return _response("503 Service Unavailable", f"{error}\n")
        return _response("200 OK", text, body=words[0] == b"GET")


def _response(status: str, text: str, *, body: bool = True) -> bytes:
    content = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (content if body else b"")
