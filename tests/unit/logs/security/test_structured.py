"""Applications that write fields: the address is that of its field, whatever a name says."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from zen_agents.logs.formats.base import Format
from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.logfmt import Logfmt
from zen_agents.logs.record import LogRecord
from zen_agents.logs.security.event import SecurityEvent
from zen_agents.logs.security.recognition import event_of
from zen_agents.logs.stamps import Stamps

NAMES = (
    "alice",
    "a@example.org",
    "x (Remote IP: 198.51.100.9)",
    'y","remoteAddr":"198.51.100.9',
    "from 198.51.100.9 port 22",
)


def _told(line: str, form: Format) -> SecurityEvent | None:
    at, fields = form.find(line, Stamps(0.0, UTC)) or (None, {})
    return event_of(LogRecord("", line, at, fields))


def _nextcloud(user: str, address: str) -> str:
    message = f"Login failed: {user} (Remote IP: {address})"
    return json.dumps({"reqId": "x", "level": 2, "remoteAddr": address, "user": "--", "app": "core", "message": message})


def _mongod(user: str, address: str) -> str:
    said = {"principalName": user, "remote": f"{address}:51234", "error": "UserNotFound: no such user"}
    return json.dumps({"s": "I", "c": "ACCESS", "id": 20249, "msg": "Authentication failed", "attr": said})


@pytest.mark.parametrize("written", [_nextcloud, _mongod])
@pytest.mark.parametrize("user", NAMES)
def test_who_failed_and_from_where_is_read_of_fields(written: object, user: str) -> None:
    assert callable(written)
    event = _told(written(user, "203.0.113.9"), JsonLines())
    assert event is not None
    assert (event.user, event.address, event.result) == (user, "203.0.113.9", "failed")


def test_an_entry_of_grafana_has_an_address_and_no_name() -> None:
    line = 'logger=context uname= level=info msg="Invalid username or password" remote_addr=203.0.113.9 traceID='
    event = _told(line, Logfmt())
    assert event is not None
    assert (event.user, event.address) == ("", "203.0.113.9")


@pytest.mark.parametrize(
    "line",
    [
        '{"reqId":"x","remoteAddr":"203.0.113.9","message":"Login succeeded: Login failed: bob (Remote IP: 203.0.113.9)"}',
        '{"c":"ACCESS","msg":"Authentication succeeded","attr":{"remote":"203.0.113.9:1","principalName":"bob"}}',
        '{"remote_addr":"203.0.113.9","message":"Invalid username or password"}',
    ],
)
def test_what_only_looks_like_it_is_nothing(line: str) -> None:
    assert _told(line, JsonLines()) is None
