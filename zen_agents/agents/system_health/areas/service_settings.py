"""Settings of `agents.system_health.services`: what runs, how it is known to be well, and how it is started again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from zen_agents.agents.system_health.areas.argv import Argv, refuse_unnamed_root
from zen_agents.agents.system_health.areas.tested import refuse_bad_test
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import (
    AbsolutePath,
    Account,
    ActionReference,
    Duration,
    HostPort,
    HttpUrl,
    Line,
    Name,
    PositiveDuration,
    UnitName,
    at_least,
)
from zen_agents.model.section import Apart, Section
from zen_agents.model.severity import Severity
from zen_agents.ports.host_probes import HttpRequest

#: The kernel's structure for such an address has no room for more, one byte for its end counted.
_LONGEST_SOCKET_PATH = 107
HttpStatus = Annotated[int, Field(ge=100, le=599)]


def _as_list(value: object) -> object:
    """Take one status code for a list of one."""
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_bytes(text: str) -> str:
    if not text.isascii() and any(ord(character) > 0xFF for character in text):
        raise refuse("text", "is bytes: no character beyond \\xff")
    return text


def _fits_an_address(path: str) -> str:
    if len(path.encode()) > _LONGEST_SOCKET_PATH:
        raise refuse("path", f"is the path of a unix socket: at most {_LONGEST_SOCKET_PATH} bytes")
    return path


#: The path of a unix socket that can be connected to.
SocketPath = Annotated[AbsolutePath, AfterValidator(_fits_an_address)]


class ServiceCommand(Section):
    """How a service that systemd does not run is started and stopped. Argument lists, never a shell's line."""

    start: Argv = Field(description="program and arguments, each an item of the list; no shell reads them")
    stop: Argv | None = Field(None, description="argument list that stops it; empty: TERM, then KILL after `stop_timeout`")
    restart: Argv | None = Field(None, description="argument list that restarts it; empty: stop, then start")
    cwd: AbsolutePath = Field("/", description="directory it starts in; the account must be able to enter it")
    user: Account | None = Field(
        None,
        description="account it runs as; required when the engine runs as root (say root if you mean it). An engine that is "
        "not root cannot change accounts and starts it as its own",
    )
    env: dict[str, Line] = Field(
        default_factory=dict,
        description="environment variables besides PATH, HOME and LANG; no place for secrets",
    )

    @model_validator(mode="after")
    def _root_says_who(self) -> ServiceCommand:
        refuse_unnamed_root(self.user)
        for name in self.env:
            if not name or "=" in name or "\0" in name:
                raise refuse("name", f"holds `{name}`, which is no name of a variable", at="env")
        return self


class ServiceProbe(Section):
    """A question that only a working service answers: exactly one of `tcp`, `unix` and `http`, or `http` over `unix`."""

    tcp: HostPort | None = Field(None, description="HOST:PORT that must accept a connection, and answer `send`")
    unix: SocketPath | None = Field(
        None,
        description="path of a unix socket that must accept a connection, and answer `send`; with `http` the page is asked "
        "for there. Of a unit that does not run it is not asked: that could start it",
    )
    send: Annotated[str, Field(max_length=1024), AfterValidator(_in_bytes)] = Field(
        "", description='what is said first, like "PING\\r\\n"; a hung service accepts, but does not answer (not with http)'
    )
    http: HttpUrl | None = Field(
        None,
        description="address that must answer a GET; redirects are not followed. With `unix`, like http://localhost/_ping",
    )
    expect_status: Annotated[
        tuple[HttpStatus, ...],
        BeforeValidator(_as_list, json_schema_input_type=HttpStatus | list[HttpStatus]),
        Field(min_length=1),
    ] = Field((200,), description="status code that counts as good, or a list of them (http only)")
    contains: Line = Field("", description="text that the first 64 KiB of the answer must contain")
    headers: dict[str, Line] = Field(default_factory=dict, description="request headers (http only); never secrets")
    verify_tls: bool = Field(True, description="false: accept any certificate (https only)")
    timeout: PositiveDuration = Field(timedelta(seconds=3), description="no answer within this long counts as bad")

    @property
    def request(self) -> HttpRequest | None:
        """The page that is asked for, None where none is."""
        if self.http is None:
            return None
        headers = tuple(self.headers.items())
        return HttpRequest(self.http, self.expect_status, self.contains, headers, self.verify_tls, self.unix or "")

    @model_validator(mode="after")
    def _exactly_one(self) -> ServiceProbe:
        if not self._asks or (self.tcp is not None and self._asks != "tcp"):
            raise refuse("one_of", "needs exactly one of `tcp`, `unix` and `http`, or `http` over `unix`")
        if self.http is None and (self.headers or self.expect_status != (200,)):
            raise refuse("one_of", "takes no `expect_status` or `headers`; those belong to `http`", at=self._asks)
        if self.http is not None and self.send:
            raise refuse("one_of", "belongs to `tcp` and `unix`; a page is asked for by a GET", at="send")
        if self.unix is not None and self.http is not None and not self.http.startswith("http://"):
            raise refuse("address", "is asked for over a unix socket, so without TLS: http://", at="http")
        return self

    @property
    def _asks(self) -> str:
        """The key that says what is asked, "" where there is none."""
        given = {"http": self.http, "unix": self.unix, "tcp": self.tcp}
        return next((key for key, value in given.items() if value is not None), "")


class Service(Section):
    """One service: a systemd unit, a command, or a pidfile (with a command if it is to be restarted)."""

    unit: UnitName | None = Field(None, description="systemd unit, with its ending")
    command: ServiceCommand | None = Field(None, description="how to start it where systemd does not run it")
    pidfile: AbsolutePath | None = Field(
        None, description="file in which the service writes its main process; only trusted if others cannot write it"
    )
    executable: AbsolutePath | None = Field(
        None,
        description="program of the main process, or the script that its interpreter runs; needed if others can write the "
        "pidfile",
    )
    check: ServiceProbe | None = Field(None, description="network probe; empty: only the process or unit is watched")
    wakes_within: Annotated[Duration, at_least(timedelta(seconds=1))] | None = Field(
        None,
        description="for what answers nobody and wakes up by itself, as cron does every minute: bad when its main process "
        "has not for this long; empty: not looked at",
    )
    every: PositiveDuration = Field(
        timedelta(seconds=30), description="how often it is looked at; the death of its process wakes the engine at once"
    )
    fail_after: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, description="bad probes in a row before it counts as down; the exit of its main process needs none"
    )
    recover_after: Annotated[int, Field(ge=1, le=1000)] = Field(2, description="good looks in a row before it counts as up")
    on_failure: tuple[ActionReference, ...] | None = Field(
        None,
        description="actions to take, in order; empty list: only tell; not given: restart_service if it can be started and "
        "the allow-list has it",
    )
    depends_on: tuple[Name, ...] = Field((), description="services without which this one is not restarted; they are first")
    keep: Literal["running"] | None = Field(
        None, description="running: start the unit even if a person stopped it; `command:` services are always kept running"
    )
    attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        4, description="attempts per action: one at once, then retries with growing pauses (10 s, 20 s, 40 s ... 5 min)"
    )
    stop_timeout: PositiveDuration = Field(
        timedelta(seconds=10), description="how long it may take to end after TERM before KILL (`command:` and `pidfile:`)"
    )
    settle: Duration = Field(timedelta(0), description="how long after a restart it is not judged yet (slow starters)")
    verify_within: PositiveDuration | None = Field(
        None, description="by when it must be well after a restart; empty: `actions.allow.restart_service.verify_within`"
    )
    bake: Duration = Field(
        timedelta(seconds=3), description="how long it must then stay well before the repair counts as verified"
    )
    leaks: Annotated[Any, Apart("zen_agents.agents.system_health.areas.leak_settings:ServiceLeaks")] = Field(
        None, description="restart it before it runs out of memory or descriptors; empty: not looked at, {}: as usual"
    )
    config_files: Annotated[tuple[AbsolutePath, ...], Field(max_length=32)] = Field(
        (), description="files of its configuration: kept while it is well, given back when a bad one keeps it down"
    )
    config_test: tuple[Line, ...] | None = Field(
        None, description="argument list of its own test of one such file; CANDIDATE stands for the file's path"
    )
    config_test_user: Account | None = Field(
        None, description="account that `config_test` runs as; required when the engine runs as root"
    )
    good_after: Annotated[Duration, at_least(timedelta(seconds=1))] = Field(
        timedelta(minutes=10),
        description="how long it must be well, without a break, for its configuration to be kept as good",
    )
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical (wakes people)")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _one_way_to_run(self) -> Service:
        if self.unit is None and self.command is None and self.pidfile is None:
            raise refuse("one_of", "needs one of `unit`, `command` and `pidfile`")
        if self.unit is not None and (self.command is not None or self.pidfile is not None):
            raise refuse("one_of", "stands beside `command` or `pidfile`; who runs it?", at="unit")
        if self.keep is not None and self.unit is None:
            raise refuse("one_of", "is for `unit`; a `command:` service is kept running anyway", at="keep")
        if self.executable is not None and self.pidfile is None:
            raise refuse("one_of", "belongs to `pidfile`, which is not given", at="executable")
        if bool(self.config_files) != (self.config_test is not None):
            raise refuse("one_of", "goes with `config_test`: what is not tested is not put back", at="config_files")
        refuse_bad_test(self.config_test, self.config_test_user, at="config_test")
        return self

    @property
    def can_be_started(self) -> bool:
        """True if the settings say how; a pidfile alone is only watched."""
        return self.unit is not None or self.command is not None
