"""Each format reads what its documentation shows, forges nothing, and takes whatever a line is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.formats.base import MOST_FIELDS
from zen_agents.logs.formats.catalog import FORMATS, detected
from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.stamps import Stamps

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
STAMPS = Stamps(NOW.timestamp(), UTC)

SYSLOG = "Nov 27 11:59:58 web1 sshd[4242]: Failed password for root from 192.0.2.7 port 2222 ssh2"
#: The examples of RFC 5424, section 6.5.
RFC5424 = "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8"
STRUCTURED = (
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appl'
    'ication" eventID="1011"][examplePriority@32473 class="high \\"and\\" \\]"] An application event'
)
#: The examples of the documentation of Apache's mod_log_config.
COMMON = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
COMBINED = COMMON + ' "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
JSON = '{"ts": 1764244798.5, "level": "WARN", "msg": "slow", "http": {"route": "/a", "ms": 1200}, "tags": ["x"]}'
LOGFMT = 'time=2026-11-27T11:59:58Z level=eror msg="it \\"broke\\"" route=/cart took=1.2s'
PLAIN = "2026-11-27 11:59:58,123 ERROR worker: no connection"
LINES = {"syslog": SYSLOG, "syslog5424": RFC5424, "access": COMBINED, "json": JSON, "logfmt": LOGFMT, "plain": PLAIN}


def _fields(name: str, line: str) -> dict[str, str]:
    return dict(FORMATS[name]().record(line, "s", STAMPS).fields)


def _at(name: str, line: str) -> datetime | None:
    at = FORMATS[name]().record(line, "s", STAMPS).at
    return datetime.fromtimestamp(at, UTC) if at is not None else None


def test_syslog_in_both_kinds_of_time_stamp() -> None:
    """What stands before the message is taken apart; a priority gives facility and level."""
    assert _fields("syslog", SYSLOG) == {
        "host": "web1", "program": "sshd", "pid": "4242",
        "message": "Failed password for root from 192.0.2.7 port 2222 ssh2",
    }  # fmt: skip
    assert _at("syslog", SYSLOG) == datetime(2026, 11, 27, 11, 59, 58, tzinfo=UTC)
    line = "<86>2026-11-27T12:59:58.5+01:00 web1 sudo: alice : TTY=pts/0 ; USER=root"
    assert _fields("syslog", line)["facility"] == "authpriv"
    assert _fields("syslog", line)["level"] == "info"
    assert _at("syslog", line) == datetime(2026, 11, 27, 11, 59, 58, 500000, tzinfo=UTC)


def test_syslog_as_daemons_write_it_that_leave_out_or_add() -> None:
    """Without a host, with facility and level; a word for a level is no host, and no program without one in ISO time."""
    assert _fields("syslog", "Nov 27 11:59:58 sshd[42]: Disconnecting: Too many") == {
        "program": "sshd", "pid": "42", "message": "Disconnecting: Too many",
    }  # fmt: skip
    found = _fields("syslog", "Nov 27 11:59:58 web auth.warn sshd[42]: x")
    assert (found["host"], found["facility"], found["level"], found["program"]) == ("web", "auth", "warning", "sshd")
    assert _at("syslog", "Nov 7 11:59:58.25 web cron[1]: x") == datetime(2026, 11, 7, 11, 59, 58, 250000, tzinfo=UTC)
    for line in ("2026-11-27T11:59:58Z ERROR main: x", "2026-11-27T11:59:58Z worker: x", "2026-11-27 11:59:58 INFO a[3]: x"):
        assert _fields("syslog", line) == {}


def test_a_forged_prefix_inside_a_message_is_message() -> None:
    """Whoever chooses a user name chooses neither host nor program."""
    forged = "Nov 27 11:59:58 other sshd[1]: Accepted password for root from 198.51.100.9"
    found = _fields("syslog", f"Nov 27 11:59:58 web1 sshd[4242]: Invalid user {forged} from 192.0.2.7")
    assert (found["host"], found["pid"]) == ("web1", "4242")
    assert found["message"] == f"Invalid user {forged} from 192.0.2.7"


def test_syslog_with_structured_data() -> None:
    """Parameters are fields under their element's name, escapes undone; a byte-order mark before the message goes."""
    found = _fields("syslog5424", STRUCTURED)
    assert found["exampleSDID@32473.eventSource"] == "Application"
    assert found["examplePriority@32473.class"] == 'high "and" ]'
    assert (found["facility"], found["level"], found["msgid"]) == ("local4", "notice", "ID47")
    assert found["message"] == "An application event"
    assert _fields("syslog5424", RFC5424)["message"].startswith("'su root' failed")
    assert _at("syslog5424", RFC5424) == datetime(2003, 10, 11, 22, 14, 15, 3000, tzinfo=UTC)


def test_access_logs_in_both_formats_and_with_what_is_added() -> None:
    """Request, answer, and who asked from where; nginx's request time alone or by name."""
    found = _fields("access", COMBINED)
    assert found == {
        "client": "127.0.0.1", "user": "frank", "method": "GET", "path": "/apache_pb.gif", "protocol": "HTTP/1.0",
        "status": "200", "bytes": "2326", "referer": "http://www.example.com/start.html",
        "agent": "Mozilla/4.08 [en] (Win98; I ;Nav)", "message": "GET /apache_pb.gif HTTP/1.0",
    }  # fmt: skip
    assert _at("access", COMMON) == datetime(2000, 10, 10, 20, 55, 36, tzinfo=UTC)
    assert _fields("access", f'{COMBINED} "-" 0.250')["request_time"] == "0.250"
    assert _fields("access", f"{COMBINED} rt=1.500 upstream=10.0.0.1")["upstream"] == "10.0.0.1"
    assert _fields("access", f"shop.example:443 {COMMON}")["site"] == "shop.example:443"


def test_a_user_name_of_an_access_log_forges_no_address() -> None:
    """The client is what stands first; a name with brackets and quotation marks in it is a name."""
    line = COMMON.replace("frank", '198.51.100.9 - x [10/Oct/2000 "GET / HTTP/1.0" 200')
    assert _fields("access", line)["client"] == "127.0.0.1"
    assert _fields("access", line)["status"] == "200"
    assert (
        _fields("access", COMMON.replace("GET /apache_pb.gif HTTP/1.0", "\\x16\\x03\\x01"))["message"] == "\\x16\\x03\\x01"
    )


def test_json_lines() -> None:
    """Fields as text, objects within by dotted names, and the common names beside the logger's own."""
    found = _fields("json", JSON)
    assert found["http.route"] == "/a"
    assert found["http.ms"] == "1200"
    assert found["tags"] == '["x"]'
    assert (found["message"], found["level"]) == ("slow", "warning")
    assert _at("json", JSON) == datetime(2025, 11, 27, 11, 59, 58, 500000, tzinfo=UTC)
    line = '{"when": "2026-11-27T11:00:00Z", "time": "nonsense"}'
    assert JsonLines(time_key="when").record(line, "s", STAMPS).at == NOW.timestamp() - 3600


@pytest.mark.parametrize(
    "line",
    [
        "[" * 30_000,
        '{"a":' * 30_000,
        '{"a":' * 900 + "1" + "}" * 900,
        "{" + ",".join(f'"{number}":{number}' for number in range(5000)) + "}",
        '{"a": "\\ud800"}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": NaN, "time": "0000-00-00T00:00:00Z"}',
    ],
)
def test_hostile_json_is_read_or_not_and_never_more_than_that(line: str) -> None:
    """Depth, numbers of fields and halves of characters cost an entry its fields at worst."""
    found = _fields("json", line)
    assert len(found) <= MOST_FIELDS + 5
    assert all(f"{name}{value}".encode() for name, value in found.items())


def test_logfmt() -> None:
    """Pairs, with quotation marks undone and the level in the common word."""
    found = _fields("logfmt", LOGFMT)
    assert (found["level"], found["message"], found["route"]) == ("error", 'it "broke"', "/cart")
    assert _at("logfmt", LOGFMT) == datetime(2026, 11, 27, 11, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "level", "at"),
    [
        (PLAIN, "error", datetime(2026, 11, 27, 11, 59, 58, 123000, tzinfo=UTC)),
        ("2026/11/27 11:59:58 [crit] 7#7: *1 open() failed", "critical", datetime(2026, 11, 27, 11, 59, 58, tzinfo=UTC)),
        ("[Fri Nov 27 11:59:58.123 2026] [core:error] [pid 7] x", "error", datetime(2026, 11, 27, 11, 59, 58, tzinfo=UTC)),
        ("no stamp at all, error or not", None, None),
    ],
)
def test_lines_of_no_format(line: str, level: str | None, at: datetime | None) -> None:
    """A stamp at the beginning and a level near it are understood; without a stamp no word is taken for a level."""
    assert (_fields("plain", line).get("level"), _at("plain", line)) == (level, at)


@pytest.mark.parametrize("name", LINES)
def test_a_log_tells_its_format(name: str) -> None:
    """Also where another program gets a line in now and then."""
    assert detected([LINES[name]] * 8 + ["something else"] * 2, STAMPS).name == name
    assert detected([], STAMPS).name == "plain"


@pytest.mark.parametrize("name", FORMATS)
@given(line=st.one_of(st.text(max_size=200), st.sampled_from(sorted(LINES.values())).flatmap(
    lambda line: st.integers(0, len(line)).map(lambda at: line[:at] + "\u0660\x00[" + line[at:])
)))  # fmt: skip
def test_no_line_stops_a_format(name: str, line: str) -> None:
    """It is read or it is not; the text stays what it was, and the fields are within their bound and can be written."""
    record = FORMATS[name]().record(line, "s", STAMPS)
    assert record.text == line
    assert len(record.fields) <= MOST_FIELDS + 5
    assert record.at is None or 0 <= record.at <= STAMPS.now + 60
    assert json.dumps(dict(record.fields))
