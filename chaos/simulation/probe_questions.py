"""What is asked of a simulated host by connecting to it, or by a program of somebody else's."""

from __future__ import annotations

from urllib.parse import urlsplit

from chaos.simulation.asking import Questions
from zen_agents.errors import HostError
from zen_agents.model.plugin import PluginAnswer, plugin_answer
from zen_agents.ports.host_plugins import PluginCall
from zen_agents.ports.host_probes import HttpRequest, ProbeResult
from zen_agents.ports.time_answer import TimeAnswer


class ProbeQuestions(Questions):
    """The part of `SimulatedView` that implements the ports of probes, plugins and time servers."""

    async def server_time(self, server: str, timeout_seconds: float) -> TimeAnswer:
        del timeout_seconds
        return self._ask("server_time", lambda: self._host.time_servers.get(server, TimeAnswer(False, "timeout")))

    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        del host, send
        return self._ask("tcp", lambda: self._probe(port, timeout_seconds, contains))

    async def unix_socket(
        self, path: str, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        del send
        return self._ask("unix_socket", lambda: self._probe(path, timeout_seconds, contains))

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        return self._ask("http", lambda: self._get(request, timeout_seconds))

    async def plugin(self, call: PluginCall) -> PluginAnswer:
        """Return what is written for the program; HostError if nothing is."""
        return self._ask("plugin", lambda: plugin_answer(*self._host.plugins[call.argv[0]]))

    def _probe(self, where: int | str, timeout_seconds: float, contains: bytes = b"") -> ProbeResult:
        service = self._host.answering(where)
        if service is None:
            return ProbeResult(False, "refused", "Connection refused", 0.0005)
        if service.hangs or service.answer_seconds > timeout_seconds:
            return ProbeResult(False, "timeout", f"no answer within {timeout_seconds:g} s", timeout_seconds)
        if contains not in service.body.encode():
            return ProbeResult(False, "bad_answer", "the answer does not contain the expected text", service.answer_seconds)
        return ProbeResult(True, "", "connected", service.answer_seconds)

    def _get(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        url = urlsplit(request.url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise HostError(f"{request.url!r} is not an http or https URL")
        where = request.unix or url.port or (443 if url.scheme == "https" else 80)
        met, service = self._probe(where, timeout_seconds), self._host.answering(where)
        if not met.ok or service is None:
            return met
        status = service.http_status
        if status not in request.expect_status:
            return ProbeResult(False, "bad_status", f"status {status}", met.seconds, status)
        if request.contains not in service.body:
            return ProbeResult(False, "bad_answer", "the page does not contain the expected text", met.seconds, status)
        return ProbeResult(True, "", f"status {status}", met.seconds, status)
