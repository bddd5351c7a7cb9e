"""Certificates as they are looked at: what is asked, and what lies in a file or is shown by a server."""

from __future__ import annotations

from typing import NamedTuple

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CertificateQuestion:
    """Which certificate to look at; an empty text leaves that part out."""

    #: PEM file: the certificate, then its intermediates.
    file: str = ""
    #: PEM file of the private key; "" means that it lies in `file`, or is not looked at.
    key: str = ""
    #: PEM file of further intermediates.
    chain: str = ""
    #: HOST:PORT of a server.
    server: str = ""
    #: The name that clients ask for; "" for any.
    name: str = ""
    #: PEM file of the only trusted authorities; "" for those of the system.
    authority: str = ""
    #: The protocol in which the server is asked for TLS; "" for one that speaks TLS from the start.
    starttls: str = ""


class Certificate(NamedTuple):
    """One certificate, the leaf of its chain."""

    #: Hexadecimal, as openssl writes it.
    serial: str
    #: Who issued it: its distinguished name as in RFC 2253.
    issuer: str
    #: The organisation in that name, "" if it has none.
    organisation: str
    #: Validity, in seconds since the epoch.
    not_before: float
    not_after: float
    #: SHA-256 of the certificate, hexadecimal.
    fingerprint: str

    @property
    def authority(self) -> str:
        """Whose certificate it is: the organisation, for an authority changes the names of its intermediates."""
        return self.organisation or self.issuer


class Seen(NamedTuple):
    """What was found in one place. An end of validity that has passed is no fault of this kind: the certificate tells it."""

    certificate: Certificate | None = None
    #: What is wrong with it beside its age (chain, name, key), in words; "" if nothing.
    fault: str = ""
    #: Why it could not be told, in words; "" if it could.
    untold: str = ""


class CertificateLook(NamedTuple):
    """What was found; None for a place that was not asked about."""

    file: Seen | None = None
    server: Seen | None = None
