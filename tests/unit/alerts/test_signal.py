"""The recent past of what a rule judged, in a line of text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.telling import CONTEXT, FACTS, NIGHT, a_message
from zen_agents.alerts.mail import render_email
from zen_agents.alerts.signal import SIGNAL_TITLE, Signal, signal_lines
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.model.units import with_unit

NOW = 10_000.0


def seen(ago: float, status: Status = Status.OK, value: float | None = None, name: str = "up.web") -> Observation:
    return Observation(name, "host", status, Instant(NIGHT.wall, NOW - ago), value)


def test_what_is_judged_is_drawn_up_and_down_with_the_action_where_it_was() -> None:
    """A state is kept where it changes, so it goes on until the next one that is kept."""
    past = [seen(5000), seen(150, Status.PROBLEM), seen(20)]
    (line,) = signal_lines([Signal("up.web", past)], [NOW - 80], NOW)
    assert line == "o" * 25 + "xxAxo" + " up.web"


def test_what_nobody_saw_is_not_known() -> None:
    past = [seen(600, Status.PROBLEM), seen(300, Status.UNKNOWN)]
    (line,) = signal_lines([Signal("up.web", past)], [], NOW)
    assert line == "?" * 10 + "x" * 10 + "?" * 10 + " up.web"
    assert signal_lines([Signal("up.web", [])], [], NOW) == []


def test_a_measurement_shows_its_height_and_its_values_with_their_unit() -> None:
    past = [seen(600, value=40.0, name="cpu.percent"), seen(60, value=97.34, name="cpu.percent")]
    (line,) = signal_lines([Signal("cpu.percent", past)], [NOW - 100], NOW)
    assert line == "?" * 10 + "▁" * 16 + "A▁██" + " cpu.percent 97.3 % (40.0 % to 97.3 %)"


def test_a_value_that_never_moved_is_told_once() -> None:
    (line,) = signal_lines([Signal("load1", [seen(600, value=0.5, name="load1")])], [], NOW)
    assert line.endswith("▁ load1 0.5")


def test_units_follow_from_what_is_observed() -> None:
    told = {
        "disk.percent": "91.0 %", "pressure.io.some60": "91.0 %", "disk.free": "91 B", "engine.rss": "91 B",
        "log.app.largest_bytes": "91 B", "probe.web": "91 s", "clock.step_seconds": "91 s", "disk.hours_to_full": "91 h",
        "load5": "91",
    }  # fmt: skip
    assert {name: with_unit(name, 91.0) for name in told} == told


moments = st.floats(min_value=-5000, max_value=5000)


@given(
    st.lists(st.tuples(moments, st.sampled_from(Status), st.none() | st.floats(-1e300, 1e300)), min_size=1, max_size=40),
    st.lists(moments, max_size=5),
)
def test_whatever_was_seen_is_thirty_marks_and_a_name(
    past: list[tuple[float, Status, float | None]], acted: list[float]
) -> None:
    kept = [seen(ago, status, value) for ago, status, value in sorted(past, key=lambda each: -each[0])]
    (line,) = signal_lines([Signal("up.web", kept)], [NOW - ago for ago in acted], NOW)
    assert line[30:].startswith(" up.web")
    assert set(line[:30]) <= set("ox?A▁▂▃▄▅▆▇█")


def test_a_mail_shows_it_in_both_of_its_parts() -> None:
    mail = render_email(a_message(facts={**FACTS, "signal": ["ooxxA probe.nginx"]}), CONTEXT)
    lines = mail.text.splitlines()
    assert lines[lines.index(SIGNAL_TITLE) + 1] == "  ooxxA probe.nginx"
    assert "ooxxA probe.nginx" in mail.html
