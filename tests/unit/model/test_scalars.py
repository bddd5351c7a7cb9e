"""What people may write for durations, sizes, percentages and the like, and what it becomes."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from zen_agents.model import scalars as s
from zen_agents.model.refusals import ERROR_TYPES


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refused(kind: Any, value: object) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return dict(caught.value.errors(include_url=False)[0])


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (s.Duration, "30s", timedelta(seconds=30)),
        (s.Duration, "1h30m", timedelta(minutes=90)),
        (s.Duration, "0m", timedelta(0)),
        (s.Duration, "250ms", timedelta(milliseconds=250)),
        (s.Duration, "1.5h", timedelta(minutes=90)),
        (s.Interval, 300, timedelta(minutes=5)),
        (s.Interval, "5m", timedelta(minutes=5)),
        (s.Size, "512MiB", 512 * 2**20),
        (s.Size, "2GB", 2 * 10**9),
        (s.Percent, "80%", 80.0),
        (s.Percent, "0.1%", 0.1),
        (s.Threshold, 80, 80.0),
        (s.Threshold, "80%", 80.0),
        (s.TimeOfDay, "22:30", time(22, 30)),
        (s.TimeZone, "Europe/Berlin", "Europe/Berlin"),
        (s.OctalMode, "640", "0640"),
        (s.OctalMode, "2775", "2775"),
        (s.CronExpression, "*/15  0-6,22 1 jan-mar MON", "*/15 0-6,22 1 jan-mar MON"),
        (s.AbsolutePath, "/srv/app/", "/srv/app"),
        (s.GlobPath, "/var/log/app/*.log", "/var/log/app/*.log"),
        (s.Account, 1000, "1000"),
        (s.HostPort, "[::1]:9000", "[::1]:9000"),
    ],
)
def test_what_is_written_becomes_what_is_meant(kind: Any, written: object, meant: object) -> None:
    assert read(kind, written) == meant


@pytest.mark.parametrize(
    ("kind", "written", "type_", "label"),
    [
        (s.Duration, 5, "unit", "5s, 5m or 5h?"),
        (s.Duration, "5", "unit", "5s, 5m or 5h?"),
        (s.Duration, "5 parsecs", "unit", ""),
        (s.Duration, True, "unit", ""),
        (s.Duration, "9999999d", "range", ""),
        (s.PositiveDuration, "0s", "range", ""),
        (s.Interval, 0, "range", ""),
        (s.Interval, float("nan"), "range", ""),
        (s.Size, 512, "unit", "512KiB, 512MiB or 512GiB?"),
        (s.Percent, 80, "unit", "80%?"),
        (s.Percent, "120%", "percent_range", ""),
        (s.Threshold, float("nan"), "percent_range", ""),
        (s.Threshold, True, "percent_range", ""),
        (s.TimeOfDay, "24:00", "time_of_day", ""),
        (s.TimeZone, "../../etc/passwd", "time_zone", ""),
        (s.OctalMode, 600, "octal", 'write "0600"'),
        (s.OctalMode, "0888", "octal", ""),
        (s.CronExpression, "61 * * * *", "cron", "0 to 59"),
        (s.CronExpression, "* * * *", "cron", ""),
        (s.CronExpression, "5-1 * * * *", "cron", "0 to 59"),
        (s.AbsolutePath, "srv/app", "path", ""),
        (s.AbsolutePath, "/srv/../etc", "path", ""),
        (s.AbsolutePath, "/srv/*", "path", ""),
        (s.GlobPath, "/var/*/app.log", "path", ""),
        (s.GlobPath, "/var/log/*", "path", "like *.log"),
        (s.HostPort, "localhost:99999", "address", ""),
        (s.UnitName, "nginx", "name", ""),
        (s.UnitName, "nginx.service; reboot", "name", ""),
        (s.EmailAddress, "ops@example.com\nBcc: x@y.z", "address", ""),
        (s.Regex, "(", "regex", "here"),
        (s.Regex, "(?a)(?u)x", "regex", "here"),
        (s.Line, "a\x1b[31mb", "text", ""),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_stable_type(kind: Any, written: object, type_: str, label: str) -> None:
    error = refused(kind, written)
    assert error["type"] == type_
    assert type_ in ERROR_TYPES
    assert error.get("ctx", {}).get("label", "") == label


def test_a_slip_is_answered_with_what_was_probably_meant() -> None:
    assert refused(s.Threshold, 0.8)["ctx"]["suggest"] == "80"
    assert refused(s.Threshold, 900)["ctx"]["suggest"] == "90"
    assert refused(s.Size, "50mb")["ctx"]["suggest"] == "50MB"


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.text())))
def test_nothing_is_accepted_by_accident(value: object) -> None:
    for kind in (s.Duration, s.Size, s.Percent, s.Threshold, s.TimeOfDay, s.CronExpression, s.AbsolutePath, s.OctalMode):
        try:
            read(kind, value)
        except ValidationError as error:
            types = {each["type"] for each in error.errors()}
            assert types <= {*ERROR_TYPES, "string_type"}
