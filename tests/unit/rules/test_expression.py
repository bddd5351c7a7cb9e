from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ruling import OK, PROBLEM, UNKNOWN, moment, observation, seen
from zen_agents.model.observation import Status
from zen_agents.rules.expression import ExpressionCondition, ExpressionError, compile_expression
from zen_agents.rules.expression_text import FUNCTIONS, LONGEST_TEXT, MOST_WORDS

TARGETS = {
    "load1": "host",
    "cpus": "host",
    "memory.percent": "host",
    "disk.free": "disk:/srv",
    "process.my-app.rss": "service:my-app",
    "requests": "host",
}
TRUTH: dict[bool | None, str] = {True: "load1 > 0", False: "load1 < 0", None: "cpus > 0"}


def compiled(text: str, **options: object) -> ExpressionCondition:
    return compile_expression(text, resolve=TARGETS.get, known=TARGETS, **options)  # type: ignore[arg-type]


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    return caught.value


def holds(text: str, **values: float | None) -> bool | None:
    """Evaluate over one observation of each name; `__` stands for a dot."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    window = seen(*(observation(name, value, 0.0, target=TARGETS[name]) for name, value in named.items()))
    return compiled(text).holds(window, moment(0.0))


def over(text: str, name: str, values: list[float], *, at: float | None = None) -> float | None:
    """Return what a window function makes of samples that came every 15 s."""
    condition = compiled(f"{text} >= 0")
    (pair,) = condition.names
    window = seen(
        *(observation(name, value, 15.0 * i, target=pair[1]) for i, value in enumerate(values)),
        keeping=[(*pair, condition.histories[pair])],
    )
    return condition.evaluate(window, moment(15.0 * (len(values) - 1) if at is None else at)).value


class TestMeaning:
    @pytest.mark.parametrize(
        ("text", "truth"),
        [
            ("load1 > 4", True),
            ("load1 >= 5 and load1 <= 5 and load1 == 5", True),
            ("load1 != 5", False),
            ("load1 < 4 or load1 < 6", True),
            ("not load1 < 4", True),
            ("1 < load1 < 10", True),
            ("1 < load1 < 3", False),
            ("load1 > 2 + 2 * 2", False),
            ("load1 > (2 + 1) * 2 - 2", True),
            ("-load1 < 0", True),
            ("load1 - 1 == 4", True),
            ("load1-1 == 4", True),
            ("load1 / 2 == 2.5", True),
            ("load1 <\n 6", True),
        ],
    )
    def test_comparisons_logic_and_arithmetic(self, text: str, truth: bool) -> None:
        assert holds(text, load1=5.0) is truth

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("90%", 90.0),
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("512MiB", 512 * 2**20),
            ("2GB", 2e9),
            ("250ms", 0.25),
            ("0.5", 0.5),
        ],
    )
    def test_units(self, text: str, value: float) -> None:
        assert holds(f"load1 == {text}", load1=value) is True

    def test_a_dash_is_part_of_a_known_name_and_else_a_minus(self) -> None:
        condition = compiled("process.my-app.rss-5 > load1-cpus")

        assert condition.names == {("process.my-app.rss", "service:my-app"), ("load1", "host"), ("cpus", "host")}

    def test_a_finding_shows_what_was_read(self) -> None:
        window = seen(observation("load1", 9.0, 5.0), observation("cpus", 4.0, 3.0))

        found = compiled("load1 > cpus * 2").evaluate(window, moment(6.0))

        assert (found.status, found.value, found.at) == (PROBLEM, 9.0, moment(3.0))
        assert found.detail == "load1 is 9, cpus is 4"

    def test_a_clearing_expression_is_ok_when_true(self) -> None:
        window = seen(observation("load1", 1.0, 0.0), observation("cpus", 4.0, 0.0))
        clear = compiled("load1 < cpus", when_true=OK)

        assert clear.evaluate(window, moment(0.0)).status is OK
        window.add(observation("load1", 9.0, 1.0))
        assert clear.evaluate(window, moment(1.0)).status is PROBLEM
        assert clear.evaluate(window, moment(500.0)).status is UNKNOWN

    def test_what_it_reads_and_needs_is_declared(self) -> None:
        condition = compiled("avg(load1, 5m) > 1 or max(load1, 10m) > 2 or cpus > 3", origin="zen.yaml:3:9")

        assert condition.names == {("load1", "host"), ("cpus", "host")}
        assert condition.histories == {("load1", "host"): 600.0}
        assert condition.origin == "zen.yaml:3:9"


class TestUnknown:
    @pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTH, TRUTH)))
    def test_and_or_are_kleenes(self, left: bool | None, right: bool | None) -> None:
        both = holds(f"{TRUTH[left]} and {TRUTH[right]}", load1=1.0)
        either = holds(f"{TRUTH[left]} or {TRUTH[right]}", load1=1.0)

        assert both is (False if False in (left, right) else None if None in (left, right) else True)
        assert either is (True if True in (left, right) else None if None in (left, right) else False)

    @pytest.mark.parametrize("value", list(TRUTH))
    def test_not_is_kleenes(self, value: bool | None) -> None:
        assert holds(f"not ({TRUTH[value]})", load1=1.0) is (None if value is None else not value)

    @given(st.sampled_from(list(TRUTH)), st.sampled_from(list(TRUTH)))
    def test_de_morgans_law_holds_with_unknown(self, left: bool | None, right: bool | None) -> None:
        a, b = TRUTH[left], TRUTH[right]

        assert holds(f"not ({a} and {b})", load1=1.0) is holds(f"not ({a}) or not ({b})", load1=1.0)

    def test_a_missing_name_is_unknown(self) -> None:
        found = compiled("load1 > cpus").evaluate(seen(observation("load1", 1.0, 0.0)), moment(0.0))

        assert (found.status, found.detail) == (UNKNOWN, "cannot tell cpus")

    @pytest.mark.parametrize("text", ["load1 / cpus > 1", "1 / (cpus - cpus) > 1"])
    def test_dividing_by_zero_is_unknown(self, text: str) -> None:
        window = seen(observation("load1", 1.0, 0.0), observation("cpus", 0.0, 0.0))

        found = compiled(text).evaluate(window, moment(0.0))

        assert found.status is UNKNOWN
        assert found.detail.startswith("cannot be computed")

    def test_a_result_that_is_not_finite_is_unknown(self) -> None:
        assert holds("load1 * load1 > 1", load1=1e200) is None

    def test_stale_and_untold_observations_are_unknown(self) -> None:
        condition = compiled("load1 > 0", sample_seconds=lambda name: {"load1": 10.0}[name])

        assert condition.holds(seen(observation("load1", 1.0, 0.0)), moment(30.0)) is True
        assert condition.holds(seen(observation("load1", 1.0, 0.0)), moment(30.1)) is None
        assert condition.holds(seen(observation("load1", None, 0.0, status=UNKNOWN)), moment(0.0)) is None

    @given(st.dictionaries(st.sampled_from(["load1", "cpus", "memory.percent"]), st.floats()))
    def test_no_measurement_makes_it_raise(self, values: dict[str, float]) -> None:
        window = seen(*(observation(name, value, 0.0) for name, value in values.items()))
        condition = compiled("load1 / cpus > memory.percent - 1 and -cpus * load1 < 5 or load1 + cpus == 3")

        assert condition.evaluate(window, moment(0.0)).status in Status


RISING = [float(i) for i in range(21)]


class TestWindowFunctions:
    @pytest.mark.parametrize(("function", "value"), [("avg", 10.0), ("min", 0.0), ("max", 20.0)])
    def test_over_the_samples_of_the_window(self, function: str, value: float) -> None:
        assert over(f"{function}(load1, 5m)", "load1", RISING) == value

    def test_older_samples_do_not_count(self) -> None:
        assert over("max(load1, 5m)", "load1", [99.0, *RISING]) == 20.0

    def test_rate_counts_on_over_a_reset(self) -> None:
        counted = [100.0 + 30.0 * i for i in range(11)] + [30.0 * i for i in range(1, 11)]

        assert over("rate(requests, 5m)", "requests", counted) == pytest.approx(2.0)

    @pytest.mark.parametrize("step", [-3.0, 0.0, 6.0])
    def test_slope_is_the_change_a_second(self, step: float) -> None:
        values = [1000.0 + step * i for i in range(21)]

        assert over("slope(disk.free, 5m)", "disk.free", values) == pytest.approx(step / 15.0)

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_too_little_of_the_window_is_unknown(self, function: str) -> None:
        text = f"{function}(load1, 5m)"

        assert over(text, "load1", RISING[:20]) is None
        assert over(text, "load1", RISING, at=346.0) is None
        assert over(text, "load1", RISING, at=301.0) is not None

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_without_a_kept_past_it_is_unknown(self, function: str) -> None:
        window = seen(*(observation("load1", 1.0, 15.0 * i) for i in range(40)))

        assert compiled(f"{function}(load1, 5m) > 0").holds(window, moment(585.0)) is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "column", "words", "suggestion"),
        [
            ("load1 > 3 and memory.prcent < 90", 14, "unknown name `memory.prcent`", "memory.percent"),
            ("avrage(load1, 5m) > 2", 0, "unknown function `avrage`", "avg"),
            ("load1 > 5 && cpus > 2", 10, "has no meaning here", "and"),
            ("load1 > 5 || cpus > 2", 10, "has no meaning here", "or"),
            ("load1 = 5", 6, "has no meaning here", "=="),
            ("load1 > 5 AND cpus > 1", 10, "is written `and`", "and"),
            ("load1 > 5x", 8, "unknown unit", ""),
            ("load1 > 512mib", 8, "unknown unit", "512MiB"),
            ("load1 > 300%", 8, "from 0 to 100", ""),
            ("load1 > 1.2.3", 8, "is not a number", ""),
            ("load1 > " + "9" * 400, 8, "too large", ""),
            ("(load1 > 5", 0, "missing or out of place", ""),
            ("load1 > 5)", 9, "missing or out of place", ""),
            ("load1 >", 6, "missing or out of place", ""),
            ("load1 ** 2 > 1", 6, "has no meaning here", ""),
            ("load1[0] > 1", 5, "has no meaning here", ""),
            ("load1 > 'x'", 8, "has no meaning here", ""),
            ("löad1 > 1", 0, "unknown name `l`", ""),
            ("load1 > 1 \x00", 10, "has no meaning here", ""),
            ("load1", 0, "compare it", ""),
            ("load1 + cpus", 0, "compare it", ""),
            ("not load1", 4, "compare it", ""),
            ("load1 > 1 and cpus", 14, "compare it", ""),
            ("(load1 > 1) + 2 > 3", 1, "true or false where a number", ""),
            ("(load1 > 1) == (cpus > 1)", 1, "true or false where a number", ""),
            ("-(load1 > 1) > 2", 2, "true or false where a number", ""),
            ("cpus / 0 > 1", 7, "is zero", ""),
            ("1 > 0", 0, "reads no observation", ""),
            ("", 0, "is empty", ""),
            ("  ", 0, "is empty", ""),
            ("(load1, cpus) > 1", 0, "not part of the language", ""),
            ("load1, cpus", 0, "not part of the language", ""),
            ("avg(load1) > 3", 0, "needs a name and a duration", ""),
            ("avg(load1, 5m, 5m) > 3", 0, "needs a name and a duration", ""),
            ("avg(load1 + 1, 5m) > 3", 4, "the name of an observation", ""),
            ("avg(*load1, 5m) > 3", 4, "the name of an observation", ""),
            ("avg(load1, 5) > 3", 11, "is a duration", ""),
            ("avg(load1, 0s) > 3", 11, "is a duration", ""),
            ("avg(load1, cpus) > 3", 11, "is a duration", ""),
            ("rate(load1, 20s) > 1", 12, "too short", ""),
            ("avg(load1, 30d) > 1", 11, "longer than", ""),
            ("avg > 3", 0, "unknown name `avg`", ""),
            ("load1(cpus, 5m) > 3", 0, "is not a function", ""),
        ],
    )
    def test_say_what_and_where(self, text: str, column: int, words: str, suggestion: str) -> None:
        error = refusal(text)

        assert words in error.message
        assert (error.column, error.suggestion) == (column, suggestion)
        assert error.exit_code == 78

    def test_length_words_and_depth_are_bounded(self) -> None:
        assert "longer than" in refusal("load1 > 1 " + " " * LONGEST_TEXT).message
        assert "words" in refusal("load1 > " + "1+" * MOST_WORDS + "1").message
        assert "deeply" in refusal("load1 > " + "-" * 100 + "1").message
        assert "deeply" in refusal("not " * 90 + "load1 > 1").message
        assert "deeply" in refusal("load1 > " + "1+(" * 40 + "1" + ")" * 40).message

    @pytest.mark.parametrize(
        "text",
        [
            "__import__('os').system('true') > 0",
            "load1.__class__ > 0",
            "lambda: 0",
            "[x for x in load1]",
            "load1 if load1 else cpus",
            "(load1 := 3) > 1",
            "f'{load1}' > 1",
            "load1 is None",
            "load1 in cpus",
            "await load1 > 1",
            "open > 1",
            "n0 > 1",
            "f_avg(load1, 5m) > 1",
        ],
    )
    def test_nothing_of_python_gets_through(self, text: str) -> None:
        assert refusal(text).message


WORDS = st.sampled_from([
    *TARGETS, *FUNCTIONS, "and", "or", "not", "(", ")", ",", "+", "-", "*", "/", "<", "<=", "==", "!=", ">", "5m", "10%",
    "512MiB", "3", "0", "if", "lambda", "=", ".", "'",
])  # fmt: skip


@given(
    st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS, max_size=12).map("".join))
)
def test_any_text_compiles_or_is_refused_with_a_place_in_it(text: str) -> None:
    try:
        condition = compiled(text)
    except ExpressionError as error:
        assert 0 <= error.column <= len(text)
        assert error.message
    else:
        assert condition.evaluate(seen(), moment(0.0)).status is UNKNOWN
