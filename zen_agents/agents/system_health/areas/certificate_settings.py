"""Settings of `agents.system_health.certificates`: where a certificate lies, who shows it, and who renews it."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from zen_agents.agents.system_health.areas.argv import Argv, refuse_unnamed_root
from zen_agents.model.certificate import CertificateQuestion
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import (
    AbsolutePath,
    Account,
    Duration,
    HostPort,
    Line,
    Name,
    PositiveDuration,
    UnitName,
    at_least,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

_DAY = timedelta(days=1)
_CERTBOT, _LEGO = "/etc/letsencrypt", "/var/lib/lego"


def _not_an_option(text: str) -> str:
    """Refuse a name that a client would take for an option."""
    if not text or text.startswith("-"):
        raise refuse("name", f"is the name of a certificate, got `{text}`")
    return text


Lineage = Annotated[Name, AfterValidator(_not_an_option)]


class Renewal(Section):
    """Who renews it. Exactly one of `certbot`, `lego` and `command`."""

    certbot: Lineage | None = Field(None, description="name of the certificate in `certbot certificates`")
    lego: Lineage | None = Field(None, description="first domain of the certificate in lego's directory")
    command: Argv | None = Field(None, description="argument list that leaves a new certificate in `made`")
    directory: AbsolutePath | None = Field(
        None, description=f"where the client keeps what it has: {_CERTBOT} for certbot, {_LEGO} for lego if not given"
    )
    options: tuple[Line, ...] = Field((), description="further options of certbot or lego, like --http or --server")
    made: AbsolutePath | None = Field(
        None, description="file in which `command` leaves the new certificate; not given: in the server's own `file`"
    )
    made_key: AbsolutePath | None = Field(None, description="file in which `command` leaves the key, if not in `made`")
    user: Account | None = Field(
        None,
        description="account that renews; required for `command` when the engine runs as root (say root if you mean it)",
    )
    env: dict[str, Line] = Field(
        default_factory=dict,
        description="environment variables besides PATH, HOME and LANG, like LEGO_CA_CERTIFICATES; no place for secrets",
    )
    timeout: PositiveDuration = Field(timedelta(minutes=5), description="how long renewing may take")

    @model_validator(mode="after")
    def _names_of_variables(self) -> Renewal:
        for name in self.env:
            if not name or "=" in name or "\0" in name:
                raise refuse("name", f"holds `{name}`, which is no name of a variable", at="env")
        return self

    @model_validator(mode="after")
    def _one_client(self) -> Renewal:
        if sum(client is not None for client in (self.certbot, self.lego, self.command)) != 1:
            raise refuse("one_of", "needs exactly one of `certbot`, `lego` and `command`")
        if self.command is None:
            for key in ("made", "made_key"):
                if getattr(self, key) is not None:
                    raise refuse("one_of", "is for `command`; certbot and lego have their own places", at=key)
            return self
        for key in ("directory", "options"):
            if getattr(self, key):
                raise refuse("one_of", "is for `certbot` and `lego`", at=key)
        if self.made_key is not None and self.made is None:
            raise refuse("one_of", "stands without `made`; where is its certificate?", at="made_key")
        refuse_unnamed_root(self.user)
        return self

    @property
    def client(self) -> str:
        """Who renews, in a word."""
        return "certbot" if self.certbot is not None else "lego" if self.lego is not None else "command"

    def argv(self, renew_before: timedelta) -> tuple[str, ...]:
        """Return the argument list that renews; what is renewed too early costs the authority's rate limits."""
        if self.certbot is not None:
            places = ("--config-dir", self.directory) if self.directory is not None else ()
            renew = ("certbot", "renew", "--cert-name", self.certbot, "--non-interactive", "--no-random-sleep-on-renew")
            return (*renew, *places, *self.options)
        if self.lego is not None:
            days = str(ceil(renew_before / _DAY) + 1)
            lego = ("lego", "--path", self.directory or _LEGO, "--domains", self.lego, *self.options)
            return (*lego, "renew", "--days", days, "--no-random-sleep")
        return self.command or ()

    def places(self, file: str, key: str) -> tuple[str, str]:
        """Return where the new certificate and its key are left; the key is "" if it lies with the certificate."""
        if self.certbot is not None:
            live = f"{self.directory or _CERTBOT}/live/{self.certbot}"
            return f"{live}/fullchain.pem", f"{live}/privkey.pem"
        if self.lego is not None:
            made = f"{self.directory or _LEGO}/certificates/{self.lego}"
            return f"{made}.crt", f"{made}.key"
        return (self.made, self.made_key or "") if self.made is not None else (file, key)


class Reload(Section):
    """How the server loads its files anew without a restart. Exactly one of `unit` and `command`."""

    unit: UnitName | None = Field(None, description="systemd unit to reload, with its ending")
    command: Argv | None = Field(None, description="argument list that reloads it, where no unit is")
    user: Account | None = Field(
        None, description="account `command` runs as; required when the engine runs as root (say root if you mean it)"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Reload:
        if (self.unit is None) == (self.command is None):
            raise refuse("one_of", "needs exactly one of `unit` and `command`")
        if self.user is not None and self.unit is not None:
            raise refuse("one_of", "is for `command`; systemd reloads a unit", at="user")
        if self.command is not None:
            refuse_unnamed_root(self.user)
        return self


class WatchedCertificate(Section):
    """One certificate: its files, the server that shows it, or both; and who renews it, if anybody."""

    file: AbsolutePath | None = Field(
        None, description="PEM file that the server reads: the certificate, then intermediates"
    )
    key: AbsolutePath | None = Field(None, description="PEM file of its private key; not given: it lies in `file`")
    chain: AbsolutePath | None = Field(None, description="PEM file of intermediates that are not in `file`")
    server: HostPort | None = Field(
        None, description="HOST:PORT that shows it, by TLS from the start unless `starttls` says otherwise"
    )
    starttls: Literal["smtp", "imap", "pop3", "ftp", "ldap", "postgres"] | None = Field(
        None, description="protocol in which `server` is asked for TLS first: smtp | imap | pop3 | ftp | ldap | postgres"
    )
    name: Line = Field("", description="name that clients ask for; not given: the host of `server` if that is a name")
    authority: AbsolutePath | None = Field(
        None, description="PEM file of the only trusted authorities; not given: the system's"
    )
    renew_before: Annotated[Duration, at_least(timedelta(hours=1))] = Field(
        timedelta(days=21), description="it is renewed, or people are told, when it has less than this left"
    )
    renew: Renewal | None = Field(None, description="who renews it; not given: people are told")
    reload: Reload | None = Field(None, description="how the server loads it; not given: the server sees to that itself")
    load_within: Duration = Field(
        timedelta(minutes=2),
        description="how long the server may show another one than lies in `file` before it is reloaded",
    )
    every: PositiveDuration = Field(
        timedelta(hours=1),
        description="how often it is looked at, a process each time; changes of its files wake the engine",
    )
    timeout: PositiveDuration = Field(timedelta(seconds=5), description="how long the server may take to answer")
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _consistent(self) -> WatchedCertificate:
        if self.file is None and self.server is None:
            raise refuse("one_of", "needs `file` or `server`")
        for key in ("key", "chain", "renew", "reload"):
            if self.file is None and getattr(self, key) is not None:
                raise refuse("one_of", "needs `file`, which is not given", at=key)
        if self.starttls is not None and self.server is None:
            raise refuse("one_of", "needs `server`, which is not given", at="starttls")
        if self.renew is not None and self.chain is not None:
            raise refuse("one_of", "stands beside `renew`, which leaves the intermediates in `file`", at="chain")
        if self.renew is not None and self.file is not None and self.key is None:
            made, made_key = self.renew.places(self.file, "")
            if made != self.file and made_key:
                raise refuse("one_of", f"leaves a key of its own ({made_key}): say with `key` where it goes", at="renew")
        return self

    @property
    def asked(self) -> CertificateQuestion:
        """What is looked at."""
        return CertificateQuestion(
            file=self.file or "",
            key=self.key or "",
            chain=self.chain or "",
            server=self.server or "",
            starttls=self.starttls or "",
            name=self.asked_name,
            authority=self.authority or "",
        )

    @property
    def asked_name(self) -> str:
        """The name that clients ask for, "" if nobody said."""
        host = (self.server or "").rpartition(":")[0].strip("[]")
        is_number = ":" in host or host.replace(".", "").isdigit()
        return self.name or ("" if is_number else host)
