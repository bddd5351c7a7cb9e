"""What PAM's modules say of who may come in, whichever service asked them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.addresses import peer_of
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: A module names itself and, since Linux-PAM 0.99, the service that asked; a client cannot write the beginning of a message.
_MODULE = re.compile(r"\(?pam_[a-z0-9_]{1,24}\)?(?:\((?:(?P<service>[^:() ]{1,64}):)?(?P<step>[a-z]{1,16})\))?:? ")
#: Where there is no account to name, the message ends with a blank; sshd may say besides that nobody is in yet.
_FAILURE = re.compile(r"(?:authentication failure|(?P<times>[0-9]{1,4}) more authentication failures?); ")
#: One of these a message begins with that tells anything; most do not, and cost no more than that.
_BEGINNINGS: Final = frozenset("(pPa0123456789")
_EARLY_END: Final = " [preauth]"
#: sshd itself, for PAM.
_OF_SSHD: Final = "PAM "
#: A service may hand a client's name in as `ruser` (servers of files and of mail do): it may hold the rest of the line too.
_ATTEMPT = re.compile(
    r"logname=(?P<by>[^ ]*) uid=[0-9]+ euid=[0-9]+ tty=(?P<tty>[^ ]*) ruser=(?P<ruser>.*?) rhost=(?P<peer>[^ ]*)"
    r"(?: +user=(?P<user>.*))?"
)
_PEER_AT, _USER_AT = " rhost=", " user="
_LAST = re.compile(r"logname=(?P<by>[^ ]*) .* ruser=(?P<ruser>.*) rhost=(?P<peer>[^ ]*)(?P<user>)")
#: Names whoever tries to log in here, and nowhere else.
_KERBEROS: Final = "pam_krb5"


@dataclass(frozen=True, slots=True)
class _Form:
    text: re.Pattern[str]
    result: Result


_FORMS: Final[Sequence[_Form]] = (
    _Form(re.compile(r"[Rr]efused user (?P<user>.*) for service [^ ]+"), Result.REFUSED),
    _Form(re.compile(r"access denied for user `(?P<user>.*)' from `(?P<peer>[^ ']+)'"), Result.REFUSED),
    _Form(re.compile(r'requirement ".*" not met by user "(?P<user>.*)"'), Result.REFUSED),
    _Form(re.compile(r"account (?P<user>.*) has expired(?: \(.*\))?"), Result.REFUSED),
    _Form(re.compile(r"Consecutive login failures for user (?P<user>.*) account temporarily locked"), Result.REFUSED),
    _Form(re.compile(r"user (?P<user>[^ ]+) \([0-9]+\) tally [0-9]+, deny [0-9]+"), Result.REFUSED),
)  # fmt: skip


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of a PAM module tells, None if it is none, or tells nothing of this kind."""
    if message[:1] not in _BEGINNINGS:
        return None
    service = program.partition("(")[0]
    module = _MODULE.match(message)
    if module is None:
        # Even older: the module is part of the program's name, `sshd(pam_unix)`; some services leave it out altogether.
        is_sshd = message.startswith(_OF_SSHD)
        failure = _FAILURE.match(message.removeprefix(_OF_SSHD))
        return _attempt(failure, service, "sshd" if is_sshd else service, message) if failure else None
    said, service = message[module.end() :], module["service"] or service
    if module["step"] in {None, "auth"} and (failure := _FAILURE.match(said)) is not None:
        return _attempt(failure, program, service, message)
    return _of_form(said, program, service)


def _of_form(said: str, program: str, service: str) -> SecurityEvent | None:
    for form in _FORMS:
        if (found := form.text.fullmatch(said)) is not None:
            address, peer = peer_of(found.groupdict().get("peer") or "")
            return SecurityEvent(
                _what(service), form.result, program, user=found["user"], address=address, peer=peer, method="pam"
            )
    return None


def _attempt(failure: re.Match[str], program: str, service: str, message: str) -> SecurityEvent | None:
    said = failure.string[failure.end() :].removesuffix(_EARLY_END).removesuffix(" ")
    found = _ATTEMPT.fullmatch(said)
    if found is None:
        return None
    is_sure = not found["ruser"] or said.count(_PEER_AT) == 1
    if not is_sure and _USER_AT not in said:
        # Then the peer is the last word, whatever stands before it.
        found, is_sure = _LAST.fullmatch(said) or found, True
    address, peer = peer_of(found["peer"]) if is_sure else ("", "")
    is_local = _what(service) is What.PRIVILEGE
    # No account has the name: then it is what the client called itself.
    tried = found["ruser"] or (found["by"] if message.startswith(_KERBEROS) else "")
    return SecurityEvent(
        _what(service), Result.FAILED, program, user=(found["user"] or ("" if is_local else tried)) if is_sure else "",
        by=(found["ruser"] or found["by"]) if is_local else "", address=address, peer=peer, method="pam",
        times=int(failure["times"] or 1),
    )  # fmt: skip


def _what(service: str) -> What:
    is_local = service in {"sudo", "sudo-i", "su", "su-l", "doas", "polkit-1", "runuser", "passwd", "chsh", "chfn"}
    return What.PRIVILEGE if is_local else What.LOGIN
