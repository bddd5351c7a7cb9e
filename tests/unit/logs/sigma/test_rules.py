"""Sigma rules mean of lines what the format's specification says; what cannot be told is refused with its place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zen_agents.logs.detection.distinct import STEP, DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.formats.access import Access
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma.collection import Published, collected
from zen_agents.logs.sigma.refused import SigmaRefusedError
from zen_agents.logs.sigma.rules import SigmaRule, rules_of
from zen_agents.logs.stamps import Stamps

STAMPS = Stamps(datetime(2026, 11, 27, 12, 0, tzinfo=UTC).timestamp(), UTC)
LINUX = {"product": "linux"}
WEB = {"category": "webserver"}


def line(message: str, program: str = "app") -> LogRecord:
    return Syslog().record(f"Nov 27 11:59:58 web {program}[42]: {message}", "syslog", STAMPS)


def request(path: str, status: int = 200, agent: str = "curl/8.0", client: str = "192.0.2.7") -> LogRecord:
    text = f'{client} - - [27/Nov/2026:11:59:58 +0000] "GET {path} HTTP/1.1" {status} 5 "-" "{agent}"'
    return Access().record(text, "access", STAMPS)


def rule(detection: dict[str, Any], logsource: dict[str, str] | None = None, **more: Any) -> SigmaRule:
    (made,) = rules_of([{"title": "A rule", "logsource": logsource or LINUX, "detection": detection, **more}])
    return made


def refusal(*documents: Any) -> SigmaRefusedError:
    with pytest.raises(SigmaRefusedError) as caught:
        rules_of(documents)
    return caught.value


def test_a_rule_as_the_community_writes_it() -> None:
    text = """
        title: Odd requests for a shell
        id: 7f3f0a5e-0000-4000-8000-000000000001
        status: test
        logsource: {category: webserver}
        detection:
            selection:
                cs-method: GET
                cs-uri-query|contains: ['cmd=', 'exec=']
            filter_main_status:
                sc-status: [404, 500]
            filter_optional_own:
                c-ip|cidr: 10.0.0.0/8
            condition: selection and not 1 of filter_*
        level: high
    """
    made = rules_of(list(yaml.safe_load_all(text)))[0]
    assert (made.title, made.severity, made.source.name) == ("Odd requests for a shell", "error", "webserver")
    assert made.means(request("/a?CMD=id"))
    assert not made.means(request("/cmd=/a"))
    assert not made.means(request("/a?cmd=id", status=404))
    assert not made.means(request("/a?cmd=id", client="10.1.2.3"))
    assert not made.means(line("GET /a?cmd=id"))


@pytest.mark.parametrize(
    ("key", "value", "holds", "holds_not"),
    [
        ("message", "plain", ["plain", "PLAIN"], ["a plain", "plainer", ""]),
        ("message|contains", "b c", ["a b c d"], ["a b", ""]),
        ("message|startswith", "a.b", ["a.bc"], ["axb", "b a.b"]),
        ("message|endswith", "z", ["a z"], ["z a"]),
        ("message|contains|all", ["a", "b"], ["b a"], ["a", "b"]),
        ("message|contains", ["x1", "x2"], ["x1", "_x2_"], ["x3"]),
        ("message", "a*c", ["abc", "ac"], ["abcd", "zabc"]),
        ("message", "a?c", ["abc"], ["ac", "abbc"]),
        ("message", r"a\*c", ["a*c"], ["abc"]),
        ("message", r"C:\\x\y", [r"C:\x\y"], ["C:xy"]),
        ("message|re", "^a[0-9]+$", ["a12"], ["A12", "ab"]),
        ("message|re|i", "^a[0-9]+$", ["A12"], ["ab"]),
        ("message|contains|cased", "Ab", ["xAbx"], ["ab"]),
        ("message|cidr", ["192.0.2.0/24", "2001:db8::/32"], ["192.0.2.9", "2001:db8::1"], ["192.0.3.1", "x", ""]),
        ("message|gte", 10, ["10", "11"], ["9", "x", "-11", ""]),
        ("message|exists", True, ["", "a"], []),
        ("message", "", [""], ["a"]),
        ("message", "*", ["", "a"], []),
        ("message", 42, ["42"], ["142"]),
    ],
)
def test_modifiers(key: str, value: Any, holds: list[str], holds_not: list[str]) -> None:
    made = rule({"selection": {key: value}, "condition": "selection"})
    assert [text for text in holds if not made.means(line(text))] == []
    assert [text for text in holds_not if made.means(line(text))] == []


def test_keywords_are_looked_for_in_the_whole_line_and_maps_of_a_list_are_alternatives() -> None:
    words = rule({"keywords": ["segfault at", "*rm -rf*"], "condition": "keywords"})
    assert [words.means(line(text)) for text in ("x SEGFAULT at 0", "please run rm -rf /", "fine")] == [True, True, False]
    both = rule({"keywords": {"|all": ["one", "two"]}, "condition": "keywords"})
    assert [both.means(line(text)) for text in ("two one", "one")] == [True, False]
    either = rule({"selection": [{"message": "a", "program": "x"}, {"message": "b"}], "condition": "selection"})
    assert [either.means(line("a", "x")), either.means(line("b", "y")), either.means(line("a", "y"))] == [True, True, False]


@pytest.mark.parametrize(
    ("condition", "meant"),
    [
        ("sel_a and sel_b", ["ab"]), ("sel_a or sel_b", ["a", "ab", "b"]), ("not sel_a", ["b", "c"]),
        ("all of sel_[ab]", ["ab"]), ("1 of sel_*", ["a", "ab", "b", "c"]), ("any of them", ["a", "ab", "b", "c"]),
        ("sel_c or sel_a and not sel_b", ["a", "c"]),
        ("(sel_c or sel_a) and not (sel_b)", ["a", "c"]), ("NOT sel_a AND NOT sel_b", ["c"]), ("not not sel_c", ["c"]),
    ],
)  # fmt: skip
def test_conditions(condition: str, meant: list[str]) -> None:
    selections = {f"sel_{letter}": {"message|contains": letter} for letter in "abc"}
    made = rule({**selections, "condition": condition})
    assert [text for text in ("a", "ab", "b", "c") if made.means(line(text))] == meant


def test_a_service_is_the_programs_that_write_its_lines() -> None:
    made = rule({"keywords": ["bad"], "condition": "keywords"}, {"product": "linux", "service": "sshd"})
    assert [made.means(line("bad", program)) for program in ("sshd", "sshd-session", "myapp")] == [True, True, False]


def test_counting_in_a_condition_and_by_a_correlation() -> None:
    old = rule({"k": ["x"], "timeframe": "5m", "condition": "k | count() by host > 10"})
    assert old.count is not None
    assert (old.count.count, old.count.within_seconds, old.count.by) == (11, 300.0, ("host",))
    base = {"title": "Base", "id": "b", "name": "base", "logsource": LINUX, "detection": {"k": ["x"], "condition": "k"}}
    asked = {"type": "event_count", "rules": ["base"], "group-by": ["host"], "timespan": "1h", "condition": {"gte": 7}}
    correlation = {"title": "Many", "level": "critical", "correlation": asked}
    (many,) = rules_of([base, correlation])
    assert many.count is not None
    assert (many.title, many.severity, many.count.count, many.count.within_seconds) == ("Many", "critical", 7, 3600.0)
    assert many.means(line("x"))
    kept = rules_of([base, {**correlation, "correlation": {**asked, "generate": True}}])
    assert [each.title for each in kept] == ["Base", "Many"]


@pytest.mark.parametrize(
    ("detection", "place", "why"),
    [
        ({"s": {"Image|endswith": "/sh"}, "condition": "s"}, "detection.s.Image|endswith", "no field 'Image'"),
        ({"s": {"message|base64": "x"}, "condition": "s"}, "detection.s.message|base64", "'base64' is not understood"),
        ({"s": {"message|re": "(?=x)y"}, "condition": "s"}, "detection.s.message|re", "looks around itself"),
        ({"s": {"message|re": "(a)\\1"}, "condition": "s"}, "detection.s.message|re", "refers back"),
        ({"s": {"message|cidr": "a/8"}, "condition": "s"}, "detection.s.message|cidr", "does not appear to be"),
        ({"s": {"message": []}, "condition": "s"}, "detection.s.message", "has no value"),
        ({"s": {"message": [{}]}, "condition": "s"}, "detection.s.message", "no text and no number"),
        ({"s": {}, "condition": "s"}, "detection.s", "neither fields"),
        ({"s": ["x"]}, "detection.condition", "is missing"),
        ({"s": ["x"], "condition": "t"}, "detection.condition", "no selection of this rule"),
        ({"s": ["x"], "condition": "s and"}, "detection.condition", "no selection"),
        ({"s": ["x"], "condition": "(s"}, "detection.condition", "not closed"),
        ({"s": ["x"], "condition": "s s"}, "detection.condition", "not expected"),
        ({"s": ["x"], "condition": "2 of s*"}, "detection.condition", "neither 1, any nor all"),
        ({"s": ["x"], "condition": "1 of t*"}, "detection.condition", "no selection"),
        ({"s": ["x"], "condition": "(" * 40 + "s" + ")" * 40}, "detection.condition", "nested"),
        ({"s": ["x"], "condition": "s | near t"}, "detection.condition", "only `count()"),
        ({"s": ["x"], "condition": "s | count() > 5"}, "detection.timeframe", "no time like 5m"),
        (
            {"s": ["x"], "timeframe": "1m", "condition": "s | count() by user > 5"},
            "detection.condition",
            "cannot be counted",
        ),
        ({"s": {"message": ["x"] * 3000}, "condition": "s"}, "detection.s.message", "more than 2048"),
    ],
)
def test_what_cannot_be_told_is_refused_with_its_place(detection: dict[str, Any], place: str, why: str) -> None:
    refused = refusal({"title": "A rule", "logsource": LINUX, "detection": detection})
    assert refused.place == place
    assert why in refused.why


@pytest.mark.parametrize(
    ("logsource", "place"),
    [
        ({"category": "process_creation", "product": "linux"}, "logsource.category"),
        ({"product": "windows"}, "logsource.product"),
        ({"product": "linux", "service": "auditd"}, "logsource.service"), ({}, "logsource.product"), (None, "logsource"),
    ],
)  # fmt: skip
def test_lines_that_are_not_read_are_refused(logsource: Any, place: str) -> None:
    refused = refusal({"title": "A rule", "logsource": logsource, "detection": {"s": ["x"], "condition": "s"}})
    assert refused.place == place


@pytest.mark.parametrize("document", [None, 1, "x", [], {}, {"title": 3}, {"title": "A"}, {"correlation": None}])
def test_what_is_no_rule_is_refused(document: Any) -> None:
    assert refusal(document).place


_YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["*", "a*", "\\", "(?=x)"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message|re", "program", "|all", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(wanted=_YAML, condition=st.lists(st.sampled_from(["s", "and", "or", "not", "(", ")", "1", "all", "of", "them", "|"])))
@settings(max_examples=300, deadline=None)
def test_whatever_a_file_says_it_is_a_rule_or_refused(wanted: Any, condition: list[str]) -> None:
    detection = {"s": wanted, "condition": " ".join(condition)}
    try:
        (made,) = rules_of([{"title": "A", "logsource": LINUX, "detection": detection}])
    except SigmaRefusedError as refused:
        assert refused.place.startswith("detection")
        return
    assert made.means(line("any")) in {True, False}


@pytest.mark.parametrize(
    ("detection", "pattern"),
    [
        ({"k": ["One word", "two"], "condition": "k"}, ""),
        ({"k": ["One word", "three.?x"], "condition": "k"}, r"(?i:three\.|word)"),
        ({"k": {"message|contains|all": ["abcd", "abcdef ghi"]}, "condition": "k"}, r"(?i:abcdef)"),
        ({"k": ["abcd"], "f": {"program": "sshd-session"}, "condition": "k and f"}, r"(?i:sshd\-session)"),
        ({"k": ["abcd"], "f": ["efghi"], "condition": "k or f"}, "(?i:abcd|efghi)"),
        ({"k": ["abcd"], "f": ["efghi"], "condition": "k and not f"}, "(?i:abcd)"),
        ({"k": ["abcd"], "condition": "not k"}, ""),
        ({"k": {"message|re": "abcd+"}, "condition": "k"}, ""),
        ({"k": {"message": [None, "abcd"]}, "condition": "k"}, ""),
        ({"k": [str(number) + "abcd" for number in range(300)], "condition": "k"}, ""),
    ],
)
def test_lines_are_found_by_the_words_that_a_rule_needs(detection: dict[str, Any], pattern: str) -> None:
    assert rule(detection).pattern == pattern


_TEXTS = st.text(alphabet="abAB.= *?é/\\", min_size=1, max_size=9)


@given(
    st.lists(_TEXTS, min_size=1, max_size=3), _TEXTS, st.sampled_from(["contains", "startswith", "endswith", "contains|all"])
)
@example(["=", "**"], "=", "contains|all")
def test_every_line_that_a_rule_means_holds_its_pattern(values: list[str], text: str, how: str) -> None:
    made = rule({"k": {f"message|{how}": values}, "condition": "k"})
    said = [line(text), *(line(value.replace("*", "ab").replace("?", "b").replace("\\", "")) for value in values)]
    for record in said:
        if made.pattern and made.means(record):
            assert re.search(made.pattern, record.text)


def called(name: str, keyword: str, **more: Any) -> dict[str, Any]:
    return {"title": name, "name": name, "logsource": LINUX, "detection": {"k": [keyword], "condition": "k"}, **more}


def ordered(*rules: str, **more: Any) -> dict[str, Any]:
    said = {"type": "temporal_ordered", "rules": list(rules), "timespan": "10m", "group-by": ["host"], **more}
    return {"title": "one after another", "correlation": said, "level": "high"}


def test_a_correlation_in_order_is_a_sequence_of_the_rules_it_calls() -> None:
    (made,) = rules_of([called("a", "began"), called("b", "gave up"), ordered("a", "b")])
    assert made.order == SequenceRule(2, 600.0, ("host",))
    assert [step.written["name"] for step in made.steps] == ["a", "b"]
    assert made.severity == "error"
    assert [made.means(line(text)) for text in ("it began", "he gave up", "neither")] == [True, True, False]
    assert len(rules_of([called("a", "x"), called("b", "y"), ordered("a", "b", generate=True)])) == 3


def test_a_correlation_in_any_order_wants_lines_of_all_of_its_rules() -> None:
    (made,) = rules_of([called("a", "began"), called("b", "gave up"), ordered("a", "b", type="temporal")])
    assert (made.order, made.count) == (None, DistinctRule(STEP, 2, 600.0, ("host",)))
    assert len(made.steps) == 2


@pytest.mark.parametrize(
    ("documents", "place"),
    [
        ([called("a", "x"), ordered("a")], "correlation.rules"),
        ([called("a", "x"), ordered("a", "gone")], "correlation.rules"),
        ([called("a", "x"), called("b", "y"), ordered("a", "b", **{"group-by": ["nobody"]})], "correlation.group-by"),
        ([called("a", "x"), called("b", "y"), ordered("a", "b", timespan="soon")], "correlation.timespan"),
        ([called("a", "x"), called("b", "y"), ordered("a", "b", type="often")], "correlation.type"),
        ([called("a", "x"), called("b", "y"), ordered("a", "b", type="value_count")], "correlation.rules"),
        ([called("a", "x"), ordered("a", type="value_count", condition={"gte": 3})], "correlation.condition.field"),
        ([called("a", "x"), ordered("a", type="value_count", condition={"field": "host", "gte": 1})], "condition"),
    ],
)
def test_a_correlation_that_cannot_be_told_is_refused(documents: list[Any], place: str) -> None:
    assert refusal(*documents).place == place


def test_of_many_files_each_rule_is_taken_by_itself_or_refused_with_its_file() -> None:
    files = [
        Published("/r/web_odd.yml", [{**called("w", "cmd="), "logsource": WEB, "name": "w"}]),
        Published("/r/lnx-a.yml", [called("a", "began")]),
        Published("/s/lnx-a.yml", [called("b", "gave up", id="7")]),
        Published("/r/both.yml", [ordered("a", "7")]),
        Published("/r/counted.yml", [called("c", "x"), called("d", "y", logsource={"product": "windows"})]),
        Published("/r/empty.yml", []),
    ]
    taken, refused = collected(files)
    # What only a correlation calls is no rule by itself.
    assert [(each.name, each.file) for each in taken] == [
        ("web_odd", "/r/web_odd.yml"), ("both", "/r/both.yml"), ("counted", "/r/counted.yml"),
    ]  # fmt: skip
    assert taken[1].rule.order is not None
    assert [len(each.documents) for each in taken] == [1, 3, 1]
    assert [(each.file, each.title, each.why.partition(":")[0]) for each in refused] == [
        ("/r/counted.yml", "d", "logsource.product"), ("/r/empty.yml", "", "has no rule"),
    ]  # fmt: skip


def test_a_rule_about_other_lines_than_a_source_has_is_refused() -> None:
    files = [Published("/r/w.yml", [{**called("w", "x"), "logsource": WEB}]), Published("/r/l.yml", [called("l", "x")])]
    assert [each.name for each in collected(files, "access")[0]] == ["w"]
    assert [each.name for each in collected(files, "syslog")[0]] == ["l"]
    (refused,) = collected(files, "syslog")[1]
    assert refused.why == "logsource: is about lines of format access, and those of this source are syslog"


def test_rules_of_one_file_have_names_of_their_own() -> None:
    taken, _ = collected(
        [Published("/r/x.yml", [called("a", "x"), called("b", "y")]), Published("/s/x.yml", [called("c", "z")])]
    )
    assert [each.name for each in taken] == ["x", "x_2", "x_3"]
