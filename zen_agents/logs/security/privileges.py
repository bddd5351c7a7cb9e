"""Who did, or tried to do, something as somebody else: sudo, su, doas, pkexec; and who failed at the console."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.addresses import address_of
from zen_agents.logs.security.event import Result, SecurityEvent, What

_LOGIN, _PRIVILEGE = What.LOGIN, What.PRIVILEGE
_OK, _FAILED, _REFUSED = Result.OK, Result.FAILED, Result.REFUSED


@dataclass(frozen=True, slots=True)
class _Form:
    text: re.Pattern[str]
    result: Result
    what: What = What.PRIVILEGE


def _form(text: str, result: Result, what: What = _PRIVILEGE) -> _Form:
    return _Form(re.compile(text), result, what)


#: An account's name as the system's own list has it: these programs look it up before they say it.
_BY, _USER = r"(?P<by>[^ ]+)", r"(?P<user>[^ ]+)"
_SU: Final = (
    _form(rf"(?:Successful su for {_USER} by {_BY}|\+ [^ ]+ (?P<by2>[^ :]+)[:-](?P<user2>[^ :]+))", _OK),
    _form(rf"\(to {_USER}\) {_BY} on [^ ]+", _OK),
    _form(rf"(?:FAILED su for {_USER} by {_BY}|- [^ ]+ (?P<by2>[^ :]+)[:-](?P<user2>[^ :]+))", _FAILED),
    _form(rf"FAILED SU \(to {_USER}\) {_BY} on [^ ]+", _FAILED),
    _form(rf"BAD SU {_BY} to {_USER} on [^ ]+", _FAILED),
)
_DOAS: Final = (
    _form(rf"{_BY} ran command (?P<detail>.*) as {_USER} from .*", _OK),
    _form(rf"failed auth for {_BY}", _FAILED),
    _form(rf"command not permitted for {_BY}(?: as {_USER})?: (?P<detail>.*)", _REFUSED),
)
_PKEXEC: Final = (
    _form(rf"{_BY}: Executing command \[USER={_USER}\] \[TTY=[^ ]+\] \[CWD=.*\] \[COMMAND=(?P<detail>.*)\]", _OK),
    _form(rf"{_BY}: Error executing command as another user: Not authorized \[USER={_USER}\] .*", _REFUSED),
)
_NOT_IN = r"(?:FAILED LOGIN|TOO MANY LOGIN TRIES)(?: SESSION)?(?: \([0-9]+\)| [0-9]+)?"
_CONSOLE: Final = (
    # util-linux and shadow put what was typed between quotation marks, or last.
    _form(rf"{_NOT_IN} on '(?P<detail>[^']*)'(?: from '(?P<peer>[^']*)')? FOR '(?P<user>.*)'(?:, .*)?", _FAILED, _LOGIN),
    _form(rf"{_NOT_IN} ?FROM (?P<detail>(?P<peer>[^ ]+)) FOR (?P<user>.*), [^,]*", _FAILED, _LOGIN),
    _form(r"(?P<user>ROOT) LOGIN (?: ?ON|on) '?(?P<detail>[^ ']+)'?.*", _OK, _LOGIN),
)
_FORMS: Final[Mapping[str, Sequence[_Form]]] = {
    "su": _SU, "su-l": _SU, "runuser": _SU, "doas": _DOAS, "pkexec": _PKEXEC, "login": _CONSOLE,
}  # fmt: skip
PROGRAMS: Final = frozenset({*_FORMS, "sudo"})

_SUDO = re.compile(r" *(?P<by>[^ ]+) : (?:(?P<why>[^;=]{1,100}) ; )?(?P<rest>(?:HOST=[^ ]+ ; )?(?:TTY|PWD)=.*)")
_COMMAND = re.compile(r" ; USER=(?P<user>[^ ]+) ;(?: GROUP=[^ ]+ ;)?(?: TSID=[^ ]+ ;)?(?: ENV=.* ;)? COMMAND=(?P<detail>.*)")
_TYPED_WRONG = re.compile(r"(?P<times>[0-9]{1,3}) incorrect password attempts?")


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of one of these programs tells, None if that is nothing of this kind."""
    if program == "sudo":
        return _of_sudo(message)
    for form in _FORMS.get(program, ()):
        if (found := form.text.fullmatch(message)) is not None:
            named = found.groupdict()
            user = (named.get("user") or named.get("user2") or "").replace("ROOT", "root")
            by = named.get("by") or named.get("by2") or ""
            return SecurityEvent(
                form.what, form.result, program, user=user, by=by, address=address_of(named.get("peer") or ""),
                method=program, detail=named.get("detail") or "", is_privileged=user == "root",
            )  # fmt: skip
    return None


def _of_sudo(message: str) -> SecurityEvent | None:
    found = _SUDO.fullmatch(message)
    if found is None:
        return None
    # The directory before and the command behind may hold what looks like the account: then nobody knows which it is.
    places = found["rest"].count(" ; USER=")
    command = _COMMAND.search(found["rest"]) if places == 1 else None
    user, detail = (command["user"], command["detail"]) if command else ("", "")
    why = found["why"] or ""
    wrong = _TYPED_WRONG.fullmatch(why)
    result = _FAILED if wrong else _REFUSED if why else _OK
    return SecurityEvent(
        _PRIVILEGE, result, "sudo", user=user, by=found["by"], method="sudo", detail=detail or why,
        is_privileged=user == "root", times=max(1, int(wrong["times"])) if wrong else 1,
    )  # fmt: skip
