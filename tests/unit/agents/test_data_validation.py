"""`agents.data_validation`: what may be written, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from zen_agents.agents.base import AgentContext, Schedule
from zen_agents.agents.data_validation.agent import DataValidationAgent
from zen_agents.agents.data_validation.dataset import Dataset, contracts_of
from zen_agents.agents.data_validation.settings import DataValidationSettings
from zen_agents.cli.runbook import page_of
from zen_agents.datasets.contract import Column, ColumnType, Contract, Keeping, Repair, RepairKind, Tolerance
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Drift,
    Fresh,
    HasColumns,
    Holds,
    Length,
    Matches,
    NoDuplicates,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    Partitions,
    Readable,
    References,
    RowCount,
    RowCountChange,
    Unique,
)
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.model.severity import Severity

CSV = {"csv": "/srv/data/orders/*.csv"}
SHOP = {"postgres": "/etc/zen-agents/shop.address", "table": "sales.orders"}


def contract(**written: Any) -> Contract:
    return Dataset.model_validate({"source": CSV, **written}).contract("orders")


def asks(**written: Any) -> list[Any]:
    return [check.asks for check in contract(**written).checks][2:]


def agent(datasets: Mapping[str, Any], **settings: Any) -> DataValidationAgent:
    read = DataValidationSettings.model_validate({"datasets": datasets, **settings})
    return DataValidationAgent(read, AgentContext("here"))


def test_every_word_asks_its_question() -> None:
    column = {"column": "a", "not_null": True, "unique": True, "type": "decimal", "between": [1, 2], "above": 0, "below": 9}
    assert asks(expect=[column]) == [
        OfType("a"), NotNull("a"), Between("a", 1, 2), Between("a", 0, 9, strict=True), Unique(("a",)),
    ]  # fmt: skip
    texts = {"column": "a", "one_of": ["x", 1], "none_of": ["y"], "matches": "x+", "length": [1, None]}
    assert asks(expect=[texts]) == [OneOf("a", ("x", 1)), NoneOf("a", ("y",)), Matches("a", "x+"), Length("a", 1, None)]
    moved = {"column": "a", "compare": {"at_least": "b"}, "drift": {"shares": 0.1, "quantiles": 0.2}, "fresh_within": "1h"}
    assert [each for each in asks(expect=[moved]) if not isinstance(each, OfType)] == [
        Compared("a", ">=", "b"), Drift("a", "shares", 0.1), Drift("a", "quantiles", 0.2), Fresh(3600.0, "a"),
    ]  # fmt: skip
    whole = {"row_count": {"min": 1}, "row_count_change": {"fall": "20%"}, "no_duplicates": True, "holds": "a > 0"}
    assert asks(expect=[whole], fresh_within="2h") == [
        Fresh(7200.0), RowCount(1), RowCountChange(0.2), NoDuplicates(), Holds("a > 0"),
    ]  # fmt: skip
    parts = {"name": "o-%Y-%m-%d.csv", "last": 3, "within": "2h", "fall": "50%", "time_zone": "Europe/Berlin"}
    assert asks(expect=[{"partitions": parts}]) == [Partitions("o-%Y-%m-%d.csv", "day", 3, 7200.0, "Europe/Berlin", 0.5)]
    key = {"columns": ["a", "b"], "unique": True, "references": {"dataset": "others", "column": "id"}}
    assert asks(expect=[key]) == [Unique(("a", "b")), References(("a", "b"), "others", ("id",))]


def test_every_data_set_is_to_be_readable_and_to_have_its_columns() -> None:
    asked = contract(columns={"a": "integer"}, exact=True, expect=[{"column": "b", "not_null": True}])
    assert [check.asks for check in asked.checks] == [Readable(), HasColumns(exact=True), OfType("a"), NotNull("b")]
    assert asked.columns == (Column("a", ColumnType.INTEGER), Column("b"))


def test_a_column_that_is_compared_with_a_number_is_one() -> None:
    amount = {"column": "amount", "between": [0, None], "tolerate": "1%", "severity": "warning"}
    implied, between = contract(expect=[amount]).checks[2:]
    assert (implied.asks, implied.tolerance, implied.severity) == (OfType("amount"), Tolerance(share=0.01), Severity.WARNING)
    assert (between.asks, between.name) == (Between("amount", 0, None), "between.amount")
    days = {"column": "day", "between": ["2026-01-01", None]}
    assert asks(columns={"day": {"type": "date", "format": "%d.%m.%Y"}}, expect=[days])[1] == Between(
        "day", "2026-01-01", None
    )


def test_what_an_entry_does_not_say_is_as_the_data_set_says() -> None:
    own = {"column": "a", "not_null": True, "tolerate": 3, "severity": "info", "name": "have_a"}
    asked = contract(expect=[own, {"column": "b", "not_null": True}], tolerate="0.5%", severity="critical").checks[2:]
    assert [(each.name, each.tolerance, each.severity) for each in asked] == [
        ("have_a", Tolerance(rows=3), Severity.INFO),
        ("not_null.b", Tolerance(share=0.005), Severity.CRITICAL),
    ]


def test_a_source_is_what_is_written() -> None:
    files = {"tsv": "/srv/in/**/*.tsv.gz", "nulls": ["", "NA"], "partitions": True, "compression": "gzip", "user": "etl"}
    options = SourceOptions(header=True, compression="gzip", nulls=("", "NA"), partitions=True)
    assert contract(source=files).source == Source(SourceKind.TSV, "/srv/in/**/*.tsv.gz", user="etl", options=options)
    table = contract(source={"postgres": "/etc/zen/orders.dsn", "table": "sales.orders"}).source
    assert (table.dsn_file, table.path, table.table) == ("/etc/zen/orders.dsn", "", "sales.orders")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"source": {}}, "needs one of"),
        ({"source": {"csv": "/srv/a.csv", "tsv": "/srv/a.tsv"}}, "csv and tsv"),
        ({"source": {"csv": "data.csv"}}, "absolute path"),
        ({"source": {"csv": "/*.csv"}}, "plain directory"),
        ({"source": {"csv": "/srv/../etc/*.csv"}}, "plain"),
        ({"source": {"sqlite": "/srv/a.db"}}, "`table` or a `query`"),
        ({"source": {"csv": "/srv/a.csv", "table": "a"}}, "has no tables"),
        ({"columns": {"a": "intger"}}, "no type"),
        ({"columns": {"a": {"type": "integer", "format": "%d"}}}, "is for dates"),
        ({"expect": [{}]}, "asks nothing"),
        ({"expect": [{"not_null": True}]}, "which column"),
        ({"expect": [{"unique": True}]}, "needs a `column`"),
        ({"expect": [{"column": "a", "columns": ["b"], "unique": True}]}, "write one of them"),
        ({"expect": [{"column": "a", "between": [None, None]}]}, "least and the most"),
        ({"expect": [{"column": "a", "matches": "("}]}, "bad regular expression"),
        ({"expect": [{"column": "a", "not_null": True, "tolerate": "200%"}]}, "from 0 to 100"),
        ({"expect": [{"column": "a", "not_null": True, "tolerate": -1}]}, "number of rows"),
        ({"expect": [{"holds": "a > 0; drop table a"}]}, "means nothing here"),
        ({"expect": [{"holds": "a in (select b from c)"}]}, "is wanted"),
        ({"expect": [{"holds": "read_text('/etc/shadow') = ''"}]}, "may not call"),
        ({"columns": {"a": "date"}, "expect": [{"column": "a", "type": "integer"}]}, "`columns` says date"),
        ({"repair": ["trimm"]}, "no repair"),
        ({"expect": [{"partitions": {"name": "orders.csv"}}]}, "the same file"),
        ({"source": {**CSV, "encoding": "cp12552"}}, "no encoding"),
        ({"keep_snapshots": True}, "is for one file"),
        ({"source": {"sqlite": "/srv/a.db", "table": "a"}, "on_failure": ["quarantine_file"]}, "never moved away"),
        ({"on_failure": ["restart_service"]}, "quarantine_file"),
        ({"source": {"postgres": "/etc/a.dsn", "table": "a"}, "keep_snapshots": True}, "backups of its own"),
        ({"repair": ["fill"]}, "needs columns"),
        ({"repair": [{"trim": "a", "coerce": "a"}]}, "is one repair"),
    ],
)
def test_what_cannot_be_meant_is_refused(written: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        contract(**written)


def test_repairs_are_done_in_the_order_in_which_they_are_written() -> None:
    repair: list[Any] = [
        "trim", {"trim": "a"}, {"coerce": {"a": ",", "b": "%d.%m.%Y"}}, {"clamp": {"a": [0, None]}}, {"fill": {"b": "none"}},
        {"normalise_case": {"b": "lower"}}, "drop_duplicates", {"quarantine_rows": ["a"]}, "restore_snapshot",
    ]  # fmt: skip
    made = contract(repair=repair, repair_at_most="2%", snapshots="/srv/good", quarantine="/srv/bad")
    kind = RepairKind
    assert made.repairs == (
        Repair(kind.TRIM), Repair(kind.TRIM, ("a",)), Repair(kind.COERCE, ("a",), form=","),
        Repair(kind.COERCE, ("b",), form="%d.%m.%Y"), Repair(kind.CLAMP, ("a",), least=0),
        Repair(kind.FILL, ("b",), value="none"), Repair(kind.NORMALISE_CASE, ("b",), form="lower"),
        Repair(kind.DROP_DUPLICATES), Repair(kind.QUARANTINE_ROWS, ("a",)), Repair(kind.RESTORE_SNAPSHOT),
    )  # fmt: skip
    assert (made.repair_at_most, made.snapshots, made.quarantine) == (0.02, "/srv/good", "/srv/bad")


def test_what_a_contract_allows_is_the_ladder_of_its_rules_the_milder_first() -> None:
    of = agent({"orders": {"source": CSV, "repair": ["trim", "restore_snapshot"], "snapshots": "/srv/good"}})
    assert [request.action for request in of.remedies()] == ["repair_data", "restore_data"]
    (rule,) = of.rules()
    assert [rung.alternatives[0].action for rung in rule.ladder] == ["repair_data", "restore_data"]
    assert list(agent({"orders": {"source": CSV}}).remedies()) == []


def test_copies_that_the_engine_keeps_are_restored_as_well() -> None:
    source = {"sqlite": "/srv/a.db", "table": "orders"}
    made = contract(source=source, keep_snapshots={"count": 2, "every": "1d"})
    assert (
        made.keep == Keeping(copies=2, every_seconds=86400.0)
        and contract(source=source, keep_snapshots=True).keep == Keeping()
    )
    of = agent({"orders": {"source": source, "repair": ["restore_snapshot"], "keep_snapshots": True}})
    assert [request.action for request in of.remedies()] == ["restore_data"]


def test_whole_files_are_taken_last_and_only_where_an_error_fails() -> None:
    mild = {"column": "a", "not_null": True, "severity": "warning"}
    of = agent({"orders": {"source": CSV, "repair": ["trim"], "on_failure": ["quarantine_file"], "expect": [mild]}})
    ladders = {rule.severity: [rung.alternatives[0].action for rung in rule.ladder] for rule in of.rules()}
    assert ladders == {Severity.WARNING: ["repair_data"], Severity.ERROR: ["repair_data", "quarantine_file"]}


def test_a_key_refers_to_a_data_set_that_is_there() -> None:
    orders = {"source": CSV, "expect": [{"column": "customer", "references": {"dataset": "custmers", "column": "id"}}]}
    with pytest.raises(ValidationError, match="there are orders, customers"):
        agent({"orders": orders, "customers": {"source": CSV}})


def test_with_nothing_listed_nothing_is_looked_at() -> None:
    of = agent({}, schedule="*/15 * * * *")
    assert (list(of.checks()), list(of.rules()), list(of.remedies())) == ([], [], [])
    assert of.schedule == Schedule(cron="*/15 * * * *")


def test_every_rule_has_its_check_and_its_page() -> None:
    mild = {"column": "a", "not_null": True, "severity": "warning"}
    of = agent({"orders": {"source": CSV, "every": "1h", "expect": [mild], "runbook": "https://wiki.example/orders"}})
    (check,) = of.checks()
    assert (check.name, check.target, check.every_seconds) == ("data.orders", "dataset:orders", 3600.0)
    assert {(rule.name, rule.severity) for rule in of.rules()} == {
        ("data_validation.orders.warning", Severity.WARNING),
        ("data_validation.orders.error", Severity.ERROR),
    }
    assert {pair for rule in of.rules() for pair in rule.condition.names} == {
        (name, check.target) for name in check.observes
    }
    assert {page_of(rule.name, rule.target) for rule in of.rules()} == {"dataset"}
    assert {rule.runbook for rule in of.rules()} == {"https://wiki.example/orders"}


def test_a_check_says_where_it_was_written() -> None:
    settings = DataValidationSettings.model_validate(
        {"datasets": {"orders": {"source": CSV, "expect": [{"column": "a", "not_null": True}]}}}
    )
    at = "agents.data_validation.datasets.orders"
    context = AgentContext("here", origins={f"{at}.expect[0]": "zen.yaml:9:13", at: "zen.yaml:4:7"})
    origins = {check.name: check.origin for check in contracts_of(settings, context)["orders"].checks}
    assert origins == {"readable": "zen.yaml:4:7", "columns": "zen.yaml:4:7", "not_null.a": "zen.yaml:9:13"}


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"source": {**SHOP, "table": "", "query": "select 1"}, "repair": ["trim"]}, "name the `table`"),
        ({"source": SHOP, "repair": ["trim", "rename_headers"]}, "rename_headers, which is for files"),
        ({"source": SHOP, "repair": ["restore_snapshot"]}, "restore_snapshot, which is for files"),
        ({"source": SHOP, "repair": ["quarantine_rows"]}, "name the directory for them"),
        ({"source": SHOP, "expect": [{"column": "a", "matches": r"\pL+"}]}, r"PostgreSQL has nothing for \\p"),
    ],
)
def test_what_a_table_of_a_server_cannot_have_is_refused(written: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        contract(**written)


def test_a_table_may_be_repaired() -> None:
    of = agent({"orders": {"source": SHOP, "repair": ["trim", "quarantine_rows"], "quarantine": "/srv/bad"}})
    assert [request.action for request in of.remedies()] == ["repair_data"]
