"""The report as one page of HTML that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from chaos.report import chart, words
from chaos.report.card import median_ratio
from chaos.report.commands import command_of, command_of_all
from chaos.report.contents import RIGHT_ANSWERS, Contents
from chaos.report.markup import Element, add, html_of
from chaos.result import Outcome, Result

_STYLE = Path(__file__).with_name("page.css")
#: Shorter than this a cell is a figure, which is not broken into lines.
_FIGURE = 12
_TITLE = "Faults and what became of them"


def page(report: Contents) -> str:
    """Return the whole page."""
    html = Element("html", {"lang": "en"})
    head = add(html, "head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", _TITLE)
    add(head, "style", _STYLE.read_text(encoding="utf-8"))
    main = add(add(html, "body"), "main")
    _heading(main, report)
    _card(main, report)
    if report.compared:
        _compared(main, report)
    _scenarios(main, report)
    if report.varied:
        _variants(main, report)
    if report.reached:
        _table(_section(main, "Tried again and again"), words.REACHED_HEADS, words.reached_rows(report.reached))
    _failures(main, report)
    _machine(main, report)
    return html_of(html)


def _heading(main: Element, report: Contents) -> None:
    add(main, "h1", _TITLE)
    add(main, "p", f"{len(report.results)} runs on disposable hosts, written {report.written_at}.", class_="quiet")
    tiles = add(main, "div", class_="tiles")
    for card in (card for card in report.cards if card.engine == "zen"):
        _tile(tiles, "-" if card.repaired_percent is None else f"{card.repaired_percent:.0f} %", "repaired", good=None)
        _tile(tiles, str(card.harmful), "harmful", good=not card.harmful)
        _tile(tiles, str(card.unnecessary), "unnecessary actions", good=not card.unnecessary)
        _tile(tiles, words.seconds(card.seen_repaired.p50 if card.seen_repaired else None), "to repair (p50)", good=None)
    if (middle := median_ratio(report.compared)) is not None:
        _tile(tiles, words.ratio(middle), "as fast as Monit (median)", good=None)
    bad = sum(result.outcome in (Outcome.FAILED, Outcome.BROKEN) and result.engine == "zen" for result in report.results)
    _tile(tiles, str(bad), "runs of zen not as expected", good=not bad)


def _tile(tiles: Element, figure: str, name: str, *, good: bool | None) -> None:
    tile = add(tiles, "div", class_={None: "tile", True: "tile good", False: "tile bad"}[good])
    add(tile, "b", figure)
    add(tile, "span", name)


def _card(main: Element, report: Contents) -> None:
    section = _section(main, "Score card")
    chart.outcomes(section, report.cards)
    _legend(section, [(outcome.value, name) for outcome, name in words.OUTCOMES.items()])
    heads = ["", *(card.engine for card in report.cards)]
    _table(section, heads, ([name, *cells] for name, cells in words.card_rows(report.cards)))
    add(section, "p", "Waiting, cannot and not shown count as not repaired. Times are of what was repaired.", class_="quiet")
    _command(section, command_of_all(report.plain) if report.plain else "")


def _compared(main: Element, report: Contents) -> None:
    section = _section(main, "Time to repair, and against Monit")
    said = words.times_faster(report.compared, report.asking, report.at_least)
    add(section, "p", f"{said} Seen from outside, from the moment at which the fault took effect.")
    chart.repair_times(section, report)
    _legend(section, [(card.engine, card.engine) for card in report.cards if card.seen_repaired])
    rows = words.comparison_rows(report.compared, report.asking, report.at_least)
    _table(section, words.COMPARISON_HEADS, rows)
    _command(section, command_of_all([result for result in report.plain if result.engine in ("zen", "monit")]))


def _scenarios(main: Element, report: Contents) -> None:
    section = _section(main, "Every scenario")
    engines = [card.engine for card in report.cards]
    body = _head(section, ["no.", "scenario", *engines])
    for name, by_engine in report.grouped().items():
        row = add(body, "tr")
        first = next(iter(by_engine.values()))[0]
        add(row, "td", first.number or "ours")
        add(add(row, "td", report.title(name)), "small", f" {name}")
        for engine in engines:
            _outcomes(add(row, "td"), by_engine.get(engine, ()))


def _variants(main: Element, report: Contents) -> None:
    section = _section(main, "When something else goes wrong as well")
    ran = [name for name in RIGHT_ANSWERS if any(result.variant == name for result in report.varied)]
    _table(section, ["meanwhile", "right is"], ([name.replace("_", " "), RIGHT_ANSWERS[name]] for name in ran))
    body = _head(section, ["scenario", *(name.replace("_", " ") for name in ran)])
    for scenario in dict.fromkeys(result.scenario for result in report.varied):
        row = add(body, "tr")
        add(row, "td", scenario)
        for name in ran:
            found = [result for result in report.varied if (result.scenario, result.variant) == (scenario, name)]
            _outcomes(add(row, "td"), found)
    _command(section, command_of_all(report.varied))


def _outcomes(cell: Element, results: Sequence[Result]) -> None:
    """One mark a run; what it took, and why it was not right, shows when it is pointed at."""
    for result in results:
        took = words.seconds(result.seconds.repaired) if result.seconds.repaired is not None else ""
        mark = add(cell, "span", _MARKS[result.outcome], class_=f"mark {result.outcome.value}")
        mark.set("title", "\n".join([words.OUTCOMES[result.outcome], took, *result.because, command_of(result)]))
    if not results:
        cell.text = words.NOTHING


_MARKS = {
    Outcome.PASSED: "ok",
    Outcome.FAILED: "wrong",
    Outcome.WAITING: "waits",
    Outcome.CANNOT: "cannot",
    Outcome.NOT_SHOWN: "not shown",
    Outcome.BROKEN: "not judged",
}


def _failures(main: Element, report: Contents) -> None:
    section = _section(main, "What was not as expected")
    bad = [result for result in report.results if result.outcome in (Outcome.FAILED, Outcome.BROKEN)]
    for result in sorted(bad, key=lambda result: result.engine != "zen"):
        details = add(section, "details", **({"open": "open"} if result.engine == "zen" else {}))
        add(
            details,
            "summary",
            " ".join(filter(None, [result.engine, result.scenario, result.variant, f"seed {result.seed}"])),
        )
        whole = add(details, "ul")
        for sentence in result.because:
            add(whole, "li", sentence)
        _command(details, command_of(result))
    if not bad:
        add(section, "p", "Nothing.")


def _machine(main: Element, report: Contents) -> None:
    _table(_section(main, "Measured on"), ["", ""], ([name, value] for name, value in report.machine.items()))


def _section(main: Element, title: str) -> Element:
    section = add(main, "section")
    add(section, "h2", title)
    return section


def _legend(section: Element, names: Iterable[tuple[str, str]]) -> None:
    legend = add(section, "p", class_="legend")
    for kind, name in names:
        add(add(legend, "span"), "i", class_=f"key {kind}").tail = name


def _command(section: Element, command: str) -> None:
    add(section, "pre", command)


def _table(section: Element, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    body = _head(section, heads)
    for cells in rows:
        row = add(body, "tr")
        for cell in cells:
            add(row, "td", cell, **({"class_": "figure"} if len(cell) < _FIGURE else {}))


def _head(section: Element, heads: Sequence[str]) -> Element:
    table = add(add(section, "div", class_="wide"), "table")
    if any(heads):
        row = add(add(table, "thead"), "tr")
        for head in heads:
            add(row, "th", head)
    return add(table, "tbody")
