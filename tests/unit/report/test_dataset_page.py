"""The page and the JUnit of a run over data: nothing that stands in the data is markup, and all of it is in one file."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

from zen_agents.datasets.finding import Cell, ColumnProfile, FailingRow, Finding, Outcome, Profile, Report, Share
from zen_agents.datasets.history import History, Seen
from zen_agents.model.severity import Severity
from zen_agents.report.dataset_junit import junit
from zen_agents.report.dataset_page import render

HOSTILE = '"><script>alert(1)</script>\x1b[31m\u202e]]>\x00&amp;'


def finding(check: str, outcome: Outcome, count: int = 0, **more: object) -> Finding:
    reason = "" if outcome is Outcome.PASSED else f"{count} of 9 rows {HOSTILE}"
    return Finding(check, "unique", (HOSTILE,), outcome, Severity.ERROR, count, 9, reason=reason, **more)  # type: ignore[arg-type]


ROW = FailingRow(3, HOSTILE, (Cell(HOSTILE, "7"),), (Cell("a", HOSTILE), Cell("b", None)))
PROFILE = Profile(9, (
    ColumnProfile(HOSTILE, shares=(Share(HOSTILE, 0.75), Share(None, 0.25))),
    ColumnProfile("amount", quantiles=tuple(map(float, range(11)))), ColumnProfile("flat", quantiles=(5.0,) * 11),
))  # fmt: skip
BAD = Report(
    HOSTILE, "/srv/" + HOSTILE, 2e9, 9,
    (finding("fine", Outcome.PASSED), finding("few", Outcome.TOLERATED, 1), finding("away", Outcome.UNKNOWN),
     finding(HOSTILE, Outcome.FAILED, 4, evidence=(ROW,))), profile=PROFILE,
)  # fmt: skip
GOOD = Report(HOSTILE, "/srv", 1.9999e9, 8, (finding("fine", Outcome.PASSED),), profile=PROFILE)
SEEN = Seen(BAD, History().after(GOOD))


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_in_itself_and_what_is_in_the_data_is_text() -> None:
    page = _Page(text := render([SEEN, Seen(GOOD)]))
    assert {"svg", "table", "section"} < set(page.tags) and not {"script", "img", "link", "iframe"} & set(page.tags)
    assert all(name not in ("src", "onload", "onerror", "style") or value.startswith("background: var(--")
               for name, value in page.attributes if value is not None)  # fmt: skip
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert {value for name, value in page.attributes if name == "href"} == {"#set-0", "#set-1"}
    assert not {"\x1b", "\u202e", "\x00"} & set(text)
    shown = "\n".join(page.texts)
    for words in ("1 of 2 not as expected", "4 of 9 (44.44%)", "The last 2 runs", "<script>alert(1)</script>",
                  "half lie below 5", "75.0%, was 75.0%"):  # fmt: skip
        assert words in shown, words


def test_a_data_set_that_could_not_be_looked_at_says_why() -> None:
    text = render([Seen(Report("orders", "/srv", 1.0, None, (), "the database is away"))])
    assert "could not be read" in text and "the database is away" in text and "none is known" in text


def test_junit_has_a_test_for_each_check_and_what_could_not_be_told_is_an_error() -> None:
    root = ElementTree.fromstring(junit([BAD]))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    (failure,), (error,) = root.iter("failure"), root.iter("error")
    assert (failure.get("message") or "").startswith("error: 4 of 9 rows")
    assert "row 3: " in (failure.text or "") and "b=null" in (failure.text or "")
    assert (error.text or "").startswith("0 of 9 rows")
    (said,) = root.iter("system-out")
    assert (said.text or "").startswith("tolerated: 1 of 9 rows")
    unknown = ElementTree.fromstring(junit([Report("orders", "/srv", 1.0, None, (), "the database is away")]))
    assert unknown.get("errors") == "1" and unknown.get("time") is None


def test_junit_says_how_long_the_look_at_each_data_set_took() -> None:
    root = ElementTree.fromstring(junit([replace(BAD, seconds=1.25), replace(BAD, seconds=0.5)]))
    assert [each.get("time") for each in (root, *root.iter("testsuite"))] == ["1.750", "1.250", "0.500"]


def test_what_would_not_be_seen_in_a_row_is_shown_and_columns_are_no_rows() -> None:
    rows = (FailingRow(1, "", (), (Cell("L" * 10_000, "ACME "), Cell("b", "\t=1"))),)
    columns = Finding("columns", "columns", (), Outcome.FAILED, Severity.ERROR, 3, 5, reason="missing: 'a'")
    text = render([Seen(replace(BAD, findings=(columns, replace(BAD.findings[3], evidence=rows))))])
    assert "&#x27;ACME &#x27;" in text and r"&#x27;\t=1&#x27;" in text
    assert "L" * 100 not in text and "3 of 5" not in text


def test_a_page_of_very_many_findings_can_still_be_read() -> None:
    many = tuple(finding(f"c{number}", Outcome.FAILED, 4, evidence=(ROW,)) for number in range(10_000))
    text = render([Seen(replace(BAD, findings=many))])
    assert len(text) < 1_000_000 and "10000 failed" in text
    assert "and 9,900 more" in text and "and 9,000 more" in text
