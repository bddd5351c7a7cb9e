"""Accounts, groups and passwords that were added, changed or taken away, as shadow's programs and passwd say it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: Who is in one of these can become root: by sudo, by what a container may mount, by the disk itself.
POWERFUL_GROUPS: Final = frozenset({"root", "wheel", "sudo", "admin", "docker", "lxd", "incus-admin", "disk", "shadow"})

_ACCOUNT, _PASSWORD, _MEMBERSHIP = What.ACCOUNT, What.PASSWORD, What.MEMBERSHIP


@dataclass(frozen=True, slots=True)
class _Form:
    text: re.Pattern[str]
    what: What
    #: What was done, as a word; the rest is in the named groups.
    done: str
    result: Result = Result.OK


def _form(text: str, what: What, done: str, result: Result = Result.OK) -> _Form:
    return _Form(re.compile(text), what, done, result)


_Q = "['`\"]?"
_USER, _GROUP = rf"{_Q}(?P<user>[^ ,'`\"]+){_Q}", rf"{_Q}(?P<group>[^ ,'`\"]+){_Q}"
#: These programs take no name with a space, a comma or a quotation mark in it, so where a name ends is certain.
_ADD: Final = (
    _form(rf"new user: name={_USER}, UID=(?P<id>[0-9]+), .*", _ACCOUNT, "user added"),
    _form(rf"new account added - account={_USER}, uid=(?P<id>[0-9]+), .*", _ACCOUNT, "user added"),
    _form(rf"failed adding user {_USER}(?:, .*)?", _ACCOUNT, "user added", Result.FAILED),
)
_GROUPS: Final = (
    _form(rf"new group: name={_GROUP}, GID=(?P<gid>[0-9]+)", _ACCOUNT, "group added"),
    _form(rf"group {_GROUP} (?:removed|deleted).*|(?:removed|delete) group {_GROUP.replace('<group', '<group2')}.*",
          _ACCOUNT, "group deleted"),
)  # fmt: skip
_JOINS: Final = (
    _form(rf"add(?:ed)? {_USER} to group {_GROUP}", _MEMBERSHIP, "joined"),
    _form(rf"delete(?:d)? {_USER} from group {_GROUP}", _MEMBERSHIP, "left"),
    _form(rf"user {_USER} added by (?P<by>[^ ]+) to group {_GROUP}", _MEMBERSHIP, "joined"),
    _form(rf"user {_USER} removed by (?P<by>[^ ]+) from group {_GROUP}", _MEMBERSHIP, "left"),
)
_CHANGE: Final = (
    _form(rf"change user {_USER} UID from {_Q}[0-9]+{_Q} to {_Q}(?P<id>[0-9]+){_Q}", _ACCOUNT, "user id changed"),
    _form(rf"change user {_USER} password", _PASSWORD, "password set"),
    _form(rf"lock user {_USER} password", _PASSWORD, "password locked"),
    _form(rf"unlock user {_USER} password", _PASSWORD, "password unlocked"),
    _form(rf"change(?:d)? user (?:name )?{_USER} .*", _ACCOUNT, "user changed"),
)
_DELETE: Final = (_form(rf"delete user {_USER}", _ACCOUNT, "user deleted"),)
_SET: Final = (
    _form(rf"pam_unix\((?:passwd|chpasswd):chauthtok\): password changed for {_USER}", _PASSWORD, "password set"),
    _form(rf"password for {_USER} changed by {_Q}(?P<by>[^ '`\"]+){_Q}", _PASSWORD, "password set"),
)
_FORMS: Final[Mapping[str, Sequence[_Form]]] = {
    "useradd": (*_ADD, *_GROUPS, *_JOINS), "adduser": (*_ADD, *_GROUPS, *_JOINS), "newusers": (*_ADD, *_GROUPS),
    "groupadd": _GROUPS, "groupdel": _GROUPS, "userdel": (*_DELETE, *_GROUPS, *_JOINS), "usermod": (*_JOINS, *_CHANGE),
    "gpasswd": _JOINS, "passwd": _SET, "chpasswd": _SET, "chsh": _CHANGE, "chfn": _CHANGE,
}  # fmt: skip
PROGRAMS: Final = frozenset(_FORMS)


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of one of these programs tells, None if that is nothing of this kind."""
    for form in _FORMS.get(program, ()):
        if (found := form.text.fullmatch(message)) is not None:
            return _event(form, found.groupdict(), program)
    return None


def _event(form: _Form, named: Mapping[str, str | None], program: str) -> SecurityEvent:
    group = named.get("group") or named.get("group2") or ""
    is_root = named.get("id") == "0" or (form.done == "password set" and named.get("user") == "root")
    return SecurityEvent(
        form.what, form.result, program, user=named.get("user") or "", by=named.get("by") or "",
        method=form.done, detail=group,
        is_privileged=is_root or (form.done == "joined" and group in POWERFUL_GROUPS),
    )  # fmt: skip
