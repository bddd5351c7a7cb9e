"""What OpenSSH's server says of log-ins and connections, since version 5, in whichever of its processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.places import LONGEST, NOWHERE, PEER, PORT, Place, only_place, the_place

PROGRAMS: Final = frozenset({"sshd", "sshd-session", "sshd-auth"})

_KNOWN = r"(?P<unknown>invalid user |illegal user )?"
_STATE = r"(?:authenticating |(?P<unknown>invalid ))user "
#: Before the name, and behind it: a name may hold anything, so what counts is the last place that is followed by what has to
#: follow, where what follows cannot be a client's.
_USER = r"(?P<user>.*)"
_FROM = rf"{_USER} from {PEER} port {PORT}"
_EARLY = r"(?P<peer>[^ ]{1,255})(?: port [0-9]{1,5})?: ?"
_GAVE_UP = r"(?:Auth fail|No (?:supported |more user )?authentication methods available\.?)"


@dataclass(frozen=True, slots=True)
class _Form:
    """One message: how it reads, and what it means."""

    text: re.Pattern[str]
    what: What
    result: Result
    method: str = ""
    #: Means this only before anybody logged in; after that it is the end of a session.
    before: bool = False


def _form(text: str, what: What, result: Result, method: str = "", *, before: bool = False) -> _Form:
    return _Form(re.compile(text), what, result, method, before)


_LOGIN, _CONNECTION = What.LOGIN, What.CONNECTION
_FAILED, _REFUSED, _ENDED = Result.FAILED, Result.REFUSED, Result.ENDED
#: By their first word. In each, what a client chooses comes before the peer and what follows is fixed, or the other way
#: round.
_FORMS: Final[dict[str, Sequence[_Form]]] = {
    "Invalid": (_form(rf"Invalid (?P<unknown>)user {_USER} from {PEER}(?: port {PORT})?", _LOGIN, _REFUSED),),
    "Illegal": (_form(rf"Illegal (?P<unknown>)user {_USER} from {PEER}(?: port {PORT})?", _LOGIN, _REFUSED),),
    "maximum": (
        _form(rf"maximum authentication attempts exceeded for {_KNOWN}{_FROM}(?: ssh[12]?)?", _LOGIN, _REFUSED),
    ),
    "User": (
        # The account is one that the server knows, and the reason is its own.
        _form(rf"User {_USER} from {PEER} not allowed because .+", _LOGIN, _REFUSED),
        _form(rf"User {_USER} not allowed because .+", _LOGIN, _REFUSED),
    ),
    "Username": (_form(rf"Username too long from {PEER} port {PORT}", _LOGIN, _REFUSED),),
    "administratively": (
        _form(rf"administratively prohibited connection for {_KNOWN}{_FROM}", _LOGIN, _REFUSED),
    ),
    "ROOT": (_form(rf"ROOT LOGIN REFUSED FROM {PEER}(?: port {PORT})?", _LOGIN, _REFUSED),),
    "Access": (_form(r"Access denied for user (?P<user>[^ ]+) by PAM account configuration", _LOGIN, _REFUSED, "pam"),),
    "PAM:": (
        _form(rf"PAM: [A-Za-z](?:(?! for ).)* for {_KNOWN}{_USER} from {PEER}(?: via [^ ]+)? ?", _LOGIN, _FAILED, "pam"),
    ),
    "public": (
        _form(
            rf"public key [^ ]+(?: [^ ]+)? signature for {_KNOWN}{_FROM} rejected: "
            r"user (?:presence \(authenticator touch\)|verification) requirement not met ?", _LOGIN, _REFUSED, "publickey",
        ),
    ),
    "Authentication": (
        _form(
            r"Authentication tried for (?P<user>[^ ]+) with correct key but not from a permitted host "
            r"\(host=[^ ,]*, ip=(?P<peer>[^ ,]+)(?:, required=.*)?\)\.?", _LOGIN, _REFUSED, "publickey",
        ),
        _form(
            r"Authentication tried for (?P<user>[^ ]+) with valid certificate but not from a permitted "
            r"(?:host|source address) \((?P<peer>[^ ()]+)\)\.", _LOGIN, _REFUSED, "publickey",
        ),
    ),
    "Disconnecting": (_form(rf"Disconnecting {PEER} port {PORT}: Too many authentication failures", _LOGIN, _REFUSED),),
    "Disconnecting:": (
        _form(r"Disconnecting: Too many authentication failures(?: for (?P<user>.*))?", _LOGIN, _REFUSED),
    ),
    "Connection": (
        _form(rf"Connection (?:closed|reset) by {_STATE}{_USER} {PEER} port {PORT}", _CONNECTION, _ENDED),
        _form(rf"Connection (?:closed|reset) by {PEER}(?: port {PORT})?", _CONNECTION, _ENDED, before=True),
    ),
    "Disconnected": (
        _form(rf"Disconnected from {_STATE}{_USER} {PEER} port {PORT}", _CONNECTION, _ENDED),
        _form(rf"Disconnected from {PEER}(?: port {PORT})?", _CONNECTION, _ENDED, before=True),
    ),
    "Received": (
        # What the client says is its own to choose, and says no more than that it gave up.
        _form(rf"Received disconnect from {_EARLY}(?:3|14): .*{_GAVE_UP}", _LOGIN, _FAILED),
        _form(rf"Received disconnect from {_EARLY}[0-9]+: .*", _CONNECTION, _ENDED, before=True),
    ),
    "Timeout": (
        _form(rf"Timeout before authentication for {PEER}(?: port {PORT})?", _CONNECTION, _ENDED),
        _form(
            rf"Timeout before authentication for connection from {PEER} to [^ ]+, pid = [0-9]+(?: \([a-z ]+\))?",
            _CONNECTION, _ENDED,
        ),
    ),
    "Did": (
        _form(rf"Did not receive identification string from {PEER}(?: port {PORT})?", _CONNECTION, _ENDED, "probe"),
    ),
    "Bad": (
        _form(rf"Bad (?:remote )?protocol version identification '.*' from {PEER}(?: port {PORT})?",
              _CONNECTION, _ENDED, "probe"),
    ),
    "banner": (_form(rf"banner exchange: Connection from {PEER} port {PORT}: .*", _CONNECTION, _ENDED, "probe"),),
    "ssh_dispatch_run_fatal:": (
        _form(rf"ssh_dispatch_run_fatal: Connection from {PEER} port {PORT}: .*", _CONNECTION, _ENDED, "probe", before=True),
    ),
    "Unable": (_form(rf"Unable to negotiate with {PEER} port {PORT}: .*", _CONNECTION, _ENDED, "probe"),),
    "probed": (_form(rf"probed from {PEER} port {PORT} with .*", _CONNECTION, _ENDED, "probe"),),
    "scanned": (_form(rf"scanned from {PEER} port {PORT} with .*", _CONNECTION, _ENDED, "probe"),),
    "drop": (
        _form(r"drop connection #[0-9]+ from \[(?P<peer>[^ \]]+)\]:[0-9]+ on \[[^ ]+\]:[0-9]+ .*", _CONNECTION, _REFUSED),
    ),
    "refused": (
        _form(r"refused connect from [^ ]+ \((?P<peer>[^ ()]+)\)", _CONNECTION, _REFUSED, "tcp_wrappers"),
        _form(rf"refused connect from {PEER}", _CONNECTION, _REFUSED, "tcp_wrappers"),
    ),
}  # fmt: skip
_TRIED = re.compile(rf"(?P<how>Failed|Accepted) (?P<method>[^ ]+) for {_KNOWN}(?P<rest>.*)")
_RESULTS: Final = {"Failed": _FAILED, "Accepted": Result.OK}
#: Behind this nothing can be a client's: the end of the line, or a key's kind and fingerprint alone.
_SURE = re.compile(rf"{_FROM} ssh2(?:: (?P<key>[A-Za-z0-9@.-]+ [^ ]+))?")
#: Behind this one may stand what a client chose: the name in its certificate, its user and host.
_SOMEWHERE = re.compile(rf" from {PEER} port {PORT} ssh(?:2: |1: ruser )")
#: Before the protocol was said, and the first one.
_OLD = re.compile(rf"{_USER} from {PEER}(?: port {PORT})?(?: ssh1?)?")
_OVER = re.compile(rf"Disconnecting {_STATE}(?P<rest>.*)")
#: The reason may hold both names that a client used, of any form.
_REASON = re.compile(rf" {PEER} port {PORT}: (?:Too many authentication failures|Change of username or service not allowed)")
#: What stands before the message itself: Solaris's id, the kernel's clock, how bad it is, where a key was looked for.
_BEFORE = re.compile(
    r"(?:\[ID [0-9]+ [a-z0-9]+\.[a-z]+\] |kernel: ?\[ *[0-9]{1,9}\.[0-9]{1,9}\]:? )?"
    r"(?:(?:error|fatal): )?(?:[^ ]+:[0-9]+: (?=Authentication tried for ))?"
)
_EARLY_END: Final = " [preauth]"


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of sshd tells, None if that is nothing of this kind. Linear in the message's length."""
    if len(message) > 2 * LONGEST:
        return None
    before = _BEFORE.match(message)
    said = message[before.end() if before else 0 :]
    is_early = said.endswith(_EARLY_END)
    said = said.removesuffix(_EARLY_END)
    if (tried := _TRIED.fullmatch(said)) is not None:
        return _of_try(tried, program)
    if (over := _OVER.fullmatch(said)) is not None:
        return _of_end(over, program)
    for form in _FORMS.get(said.partition(" ")[0], ()):
        if (is_early or not form.before) and (found := form.text.fullmatch(said)) is not None:
            return _of_form(form, found, program)
    return None


def _of_form(form: _Form, found: re.Match[str], program: str) -> SecurityEvent:
    place = the_place(found) if len(found[0]) <= LONGEST else NOWHERE
    if found[0].startswith("ROOT "):
        place = Place("root", place.address, place.peer)
    return _event(form.what, form.result, program, place, form.method, found.groupdict().get("unknown") is not None)


def _of_try(tried: re.Match[str], program: str) -> SecurityEvent | None:
    rest, key = tried["rest"], ""
    if len(rest) <= LONGEST and (sure := _SURE.fullmatch(rest)) is not None:
        place, key = the_place(sure), sure["key"] or ""
    elif _SOMEWHERE.search(rest):
        place = only_place(_SOMEWHERE, rest)
    elif (old := _OLD.fullmatch(rest)) is not None:
        place = the_place(old)
    else:
        return None
    return _event(What.LOGIN, _RESULTS[tried["how"]], program, place, tried["method"], tried["unknown"] is not None, key)


def _of_end(over: re.Match[str], program: str) -> SecurityEvent | None:
    rest = over["rest"]
    if not _REASON.search(rest):
        return None
    return _event(What.LOGIN, Result.REFUSED, program, only_place(_REASON, rest), "", over["unknown"] is not None)


def _event(
    what: What, result: Result, program: str, place: Place, method: str, is_unknown: bool, key: str = ""
) -> SecurityEvent:
    return SecurityEvent(
        what, result, program, user=place.user, address=place.address, peer=place.peer, method=method, detail=key,
        is_unknown_user=is_unknown, is_privileged=place.user == "root" and result is Result.OK,
    )  # fmt: skip
