"""What is counted over time stays bounded and loses nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.report import MOST_PARTS, LogReport, Timeline
from zen_agents.logs.stamps import Stamps

NOW = 1_800_000_000.0


@given(st.lists(st.tuples(st.integers(0, 2_000_000_000), st.booleans()), max_size=2000))
def test_a_timeline_of_any_length_has_few_parts_and_every_line(lines: list[tuple[int, bool]]) -> None:
    timeline = Timeline()
    for at, is_error in lines:
        timeline.add(float(at), is_error=is_error)
    parts = timeline.parts()
    assert len(parts) <= MOST_PARTS
    assert sum(part.lines for part in parts) == len(lines)
    assert sum(part.errors for part in parts) == sum(is_error for _, is_error in lines)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"])
def test_only_a_newline_ends_a_line(mark: str) -> None:
    report = LogReport(Stamps(NOW))
    forged = "Nov 27 11:59:58 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2"
    report.take(f"Nov 27 11:59:58 web shop[7]: no such user: x{mark}{forged}\n".encode(), Syslog(), "s")
    assert (report.lines, list(report.security.top())) == (1, [])


def test_durations_are_read_where_a_line_says_what_took_them() -> None:
    report = LogReport(Stamps(NOW))
    lines = [
        '{"path": "/a/7", "method": "PUT", "duration_ms": 250}', '{"duration_ms": 9}', '{"path": "/a", "took_ms": "long"}',
        '{"path": "/a", "duration_ms": -1}', '{"level": "error", "message": "x"}',
    ]  # fmt: skip
    report.take("".join(f"{line}\n" for line in lines).encode(), JsonLines(), "s")
    (operation,) = report.latencies()
    assert (operation.operation, operation.count, operation.longest) == ("PUT /a/{n}", 1, 0.25)
    assert (report.lines, report.errors) == (5, 1)
