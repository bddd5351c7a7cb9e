"""The score card: its figures follow from the results, and no text of a result becomes markup."""

from __future__ import annotations

import shlex
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chaos import counts
from chaos import run as command_line
from chaos.counts import COUNTS, Case, add
from chaos.engines.base import Cost, Performed
from chaos.kinds import Kind
from chaos.report.card import comparisons, engine_card, median_ratio, spread
from chaos.report.commands import command_of, command_of_all
from chaos.report.contents import contents
from chaos.report.markdown import markdown
from chaos.report.page import page
from chaos.report.words import card_rows, comparison_rows, comparison_text, times_faster
from chaos.result import Outcome, Result, Seconds
from chaos.scenario import load_all
from chaos.sweep import keep, results_of

NASTY = '<script>alert(1)</script> | `rm -rf /` & "quoted"'


def result(scenario: str, engine: str = "zen", after: float | None = None, **more: Any) -> Result:
    outcome = Outcome.PASSED if after is not None else Outcome.FAILED
    defaults: dict[str, Any] = {
        "outcome": outcome, "to_be_repaired": True, "repaired": after is not None, "seconds": Seconds(repaired=after),
    }  # fmt: skip
    return Result(scenario=scenario, number="6", kind=Kind.FAULT, engine=engine, **(defaults | more))


RESULTS = [
    result(
        "crashed_service", after=0.1, cost=Cost(0.5, 40_000), actions=(Performed("a", "b", "verified", True, undone=True),)
    ),
    result("crashed_service", after=0.3, seed=1, cost=Cost(0.7, 44_000)),
    result("crashed_service", "monit", 1.0),
    result("crashed_service", "monit", 3.0, seed=1),
    result("wrong_permissions", after=0.1),
    result("wrong_permissions", "monit", outcome=Outcome.CANNOT, because=("it has no way",)),
    result("stopped_by_person", outcome=Outcome.WAITING, because=("needs more",)),
    result("stopped_by_person", "monit", harm=("undone",), because=("undone", NASTY), pages=("one", "two"), pages_needed=1),
    result("crashed_service", variant="dry_run", to_be_repaired=False, because=(NASTY,)),
]


def test_what_was_not_run_counts_as_not_repaired_and_only_what_was_run_has_costs() -> None:
    zen, monit = engine_card("zen", RESULTS), engine_card("monit", RESULTS)
    assert (zen.runs, zen.to_repair, zen.repaired, zen.repaired_percent) == (4, 4, 3, 75.0)
    assert (monit.to_repair, monit.repaired, monit.harmful, monit.pages_sent, monit.pages_needed) == (4, 2, 1, 2, 1)
    assert zen.outcomes == {Outcome.PASSED: 3, Outcome.WAITING: 1}
    assert (zen.actions, zen.claims_inverse, zen.tried_to_undo, zen.undone) == (1, 1, 1, 1)
    assert dict(card_rows([zen, monit]))["undo success"] == ["100 % (1 of 1)", "-"]
    assert zen.seen_repaired is not None
    assert (zen.seen_repaired.p50, zen.seen_repaired.p95, zen.seen_repaired.count) == (0.1, 0.3, 3)
    assert engine_card("none", RESULTS).repaired_percent is None


def test_a_spread_says_how_many_samples_it_rests_on() -> None:
    found = spread([*map(float, range(1, 101)), None])
    assert found is not None
    assert (found.p50, found.p95, found.count) == (50.5, 95.0, 100)
    assert spread([None]) is None


def test_only_what_both_repair_with_every_seed_is_compared() -> None:
    compared = {each.scenario: each for each in comparisons(RESULTS)}
    assert compared["crashed_service"].ratio == pytest.approx(2.0 / 0.2)
    assert compared["wrong_permissions"].ratio is None
    assert compared["wrong_permissions"].why_not_theirs == "cannot: it has no way"
    assert median_ratio(list(compared.values())) == pytest.approx(10.0)
    worse = [*RESULTS, result("crashed_service", "monit", seed=2)]
    assert next(each for each in comparisons(worse) if each.scenario == "crashed_service").ratio is None


def test_what_a_person_has_to_agree_to_first_is_counted_and_told_apart() -> None:
    asked = [result("hosts_poisoned", after=4.0), result("hosts_poisoned", "monit", 1.0)]
    compared = comparisons([*RESULTS, *asked])
    assert times_faster(compared, (), {}).startswith(
        "In the median of the 2 scenarios that both repair, zen-agents is 5.1 x as fast"
    )
    said = times_faster(compared, {"hosts_poisoned"}, {})
    assert "2 scenarios that both repair, zen-agents is 5.1 x" in said
    assert "of the 1 in which nobody has to agree first, 10.0 x" in said
    rows = {row[0]: row[1:] for row in comparison_rows(compared, {"hosts_poisoned"}, {})}
    theirs = ["1.00 s", "-", "1.00 s"]
    assert rows["hosts_poisoned (a person agrees first)"] == ["4.00 s", "-", "-", "4.00 s", *theirs, "0.2 x", "0.2 x", "-"]
    nothing = ["-", "-", "-", "-", "-"]
    assert rows["wrong_permissions"] == ["100 ms", "-", "-", "100 ms", "cannot: it has no way", *nothing]


def test_what_a_fault_takes_to_show_and_a_person_to_answer_are_told_apart_from_what_is_ones_own() -> None:
    seconds = Seconds(repaired=4.0, shown=0.5, waited=3.0)
    asked = [
        result("hosts_poisoned", after=4.0, seconds=seconds),
        result("hosts_poisoned", "monit", 3.0, seconds=Seconds(repaired=3.0, shown=0.5)),
    ]
    (found,) = compared = comparisons(asked)
    assert (found.ratio, found.own_ratio) == (0.75, 5.0)
    assert comparison_rows(compared, (), {})[0][1:] == [
        "4.00 s", "500 ms", "3.00 s", "500 ms", "3.00 s", "500 ms", "2.50 s", "0.8 x", "5.0 x", "-",
    ]  # fmt: skip
    card = dict(card_rows([engine_card("zen", asked)]))
    assert card["of it waiting for a person (p50 / p95)"] == ["3.00 s / 3.00 s"]
    assert card["time to repair without both (p50 / p95)"] == ["500 ms / 500 ms"]
    text = comparison_text(compared, load_all())
    assert "hosts_poisoned (a person agrees first)" in text
    assert "0.8 x as fast as Monit at its shortest cycle" in text
    assert "Without what the fault takes to show, and a person to answer, 5.0 x" in text


def test_a_repair_that_did_harm_counts_and_says_which() -> None:
    lost = result("archives_piled_up", "monit", 2.0, outcome=Outcome.FAILED, harm=("app.log.60 is gone",))
    (found,) = comparisons([result("archives_piled_up", after=1.0), lost])
    assert found.ratio == 2.0
    row = comparison_rows([found], (), {})[0]
    assert (row[1], row[5]) == ("1.00 s", "2.00 s, but: app.log.60 is gone")


def test_a_repair_that_ended_as_the_fault_showed_has_no_ratio_of_its_own() -> None:
    at_once = [result("crashed_service", seconds=Seconds(repaired=0.5, shown=0.5)), result("crashed_service", "monit", 1.0)]
    (found,) = comparisons(at_once)
    assert (found.ratio, found.own_ratio) == (2.0, None)
    assert comparison_rows([found], (), {})[0][-3:-1] == ["2.0 x", "-"]


def test_what_nobody_can_do_sooner_is_said_and_told_apart() -> None:
    hung = [result("hung_service", after=1.0), result("hung_service", "monit", 2.0)]
    compared, at_least = comparisons([*RESULTS, *hung]), {"hung_service": "1 s: the probe's time-out"}
    assert "in that of the 1 that nothing but the two of them bounds, 10.0 x" in times_faster(compared, (), at_least)
    assert "nothing but" not in times_faster(compared, (), {})
    rows = {row[0]: row for row in comparison_rows(compared, (), at_least)}
    assert rows["hung_service"][-1] == "1 s: the probe's time-out"
    assert rows["crashed_service"][-1] == "-"


@pytest.mark.parametrize("of", RESULTS, ids=lambda each: f"{each.engine} {each.scenario} {each.variant}")
def test_the_command_beside_a_figure_is_one_that_the_bench_takes(of: Result) -> None:
    for command in (command_of(of), command_of_all([of])):
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "chaos.run"]
        parsed = command_line._parser().parse_args(words[3:])
        assert (parsed.names, parsed.seed) == ([of.scenario], of.seed)
        assert [kind.name for kinds in parsed.engine for kind in kinds] == [of.engine]
        assert [kind.name for kinds in parsed.variant or [] for kind in kinds] == ([of.variant] if of.variant else [])


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "srcset", "style"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_stands_alone_and_no_text_of_a_result_is_markup() -> None:
    text = page(contents(RESULTS, load_all()))
    seen = Tags(text)
    assert NASTY in seen.texts
    assert seen.found["script"] == 0
    assert seen.addresses == []
    assert "url(" not in text, "nothing is fetched from elsewhere"
    assert "@import" not in text
    dots = sum(each.seconds.repaired is not None for each in RESULTS)
    assert seen.found["circle"] == dots
    assert "10.0 x" in seen.texts


def test_the_markdown_says_the_same_and_stays_a_table() -> None:
    text = markdown(contents(RESULTS, load_all()))
    assert "| repaired, of all that was to be repaired | 75 % (3 of 4) | 50 % (2 of 4) |" in text
    assert "<script" not in text.replace("\\<script", "")
    heads = [line for line in text.splitlines() if line.startswith("| scenario | what goes wrong")]
    rows = [line for line in text.splitlines() if line.startswith("| crashed\\_service | ")]
    assert heads
    assert rows


def test_results_are_kept_line_by_line_and_what_was_torn_or_not_judged_is_run_again(tmp_path: Path) -> None:
    for each in [*RESULTS, result("hung_service", outcome=Outcome.BROKEN)]:
        keep(tmp_path, each)
    with (tmp_path / "results.jsonl").open("a") as out:
        out.write('{"scenario": "torn')
    assert list(results_of(tmp_path).values()) == RESULTS


def test_a_report_says_what_the_long_campaigns_have_reached_over_all_their_runs(tmp_path: Path) -> None:
    keep(tmp_path, RESULTS[0])
    for name in ("1:0", "1:0", "2:0"):
        add(tmp_path / COUNTS, Case("kill", name, 20))
    add(tmp_path / COUNTS, Case("simulate", "17", 1, ("it acted twice",)))
    with (tmp_path / COUNTS).open("a") as out:
        out.write('{"campaign": "torn')
    assert command_line.main(["report", str(tmp_path)]) == 0
    assert "| kill | 40 | 10,000 | 0 |" in (tmp_path / "report.md").read_text("utf-8")
    assert "simulate" in (tmp_path / "report.html").read_text("utf-8")
    assert counts.main([str(tmp_path / COUNTS)]) == 1


def test_a_report_is_written_anew_from_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["report", str(tmp_path)]) == 2
    assert "there are no results" in capsys.readouterr().err
    for each in RESULTS:
        keep(tmp_path, each)
    assert command_line.main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert (tmp_path / "report.md").read_text("utf-8").startswith("# Faults")
