"""Frictionless Table Schema and Data Package as contracts of ours."""

from __future__ import annotations

from typing import Any

import pytest

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.foreign.descriptor import RefusedContractError
from zen_agents.datasets.foreign.recognise import format_of, read_foreign
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.datasets.questions import (
    Between,
    HasColumns,
    Length,
    Matches,
    NoneOf,
    NotNull,
    OneOf,
    Question,
    References,
    Unique,
)


def schema(*fields: dict[str, Any], **more: Any) -> Translation:
    return read_foreign({"fields": list(fields), "fieldsMatch": "subset", **more})


def asked(translation: Translation) -> list[Question]:
    return [check.asks for check in translation.checks]


def remarked(translation: Translation) -> list[str]:
    return [remark.at for remark in translation.remarks]


@pytest.mark.parametrize(
    ("said", "column"),
    [
        ({}, ColumnType.ANY),
        ({"type": "string"}, ColumnType.TEXT),
        ({"type": "string", "format": "uuid"}, ColumnType.UUID),
        ({"type": "integer"}, ColumnType.INTEGER),
        ({"type": "number"}, ColumnType.NUMBER),
        ({"type": "boolean"}, ColumnType.BOOLEAN),
        ({"type": "date"}, ColumnType.DATE),
        ({"type": "datetime", "format": "default"}, ColumnType.TIMESTAMP),
        ({"type": "object"}, ColumnType.JSON),
    ],
)
def test_each_type_is_a_column_of_ours(said: dict[str, str], column: ColumnType) -> None:
    translation = schema({"name": "a", **said})
    assert translation.columns == (Column("a", column),)
    assert translation.remarks == ()


def test_a_form_of_a_date_is_kept_as_strftime_says_it() -> None:
    assert schema({"name": "day", "type": "date", "format": "fmt:%d.%m.%Y"}).columns == (
        Column("day", ColumnType.DATE, "%d.%m.%Y"),
    )


def test_each_constraint_is_a_question() -> None:
    constraints = {
        "required": True, "unique": True, "minLength": 2, "maxLength": 5, "minimum": 1, "maximum": 9, "exclusiveMinimum": 0,
        "exclusiveMaximum": 10, "pattern": "[0-9]+", "enum": ["1", "2"],
    }  # fmt: skip
    questions = asked(schema({"name": "a", "type": "string", "constraints": constraints}))
    assert set(questions) == {
        HasColumns(),
        NotNull("a"),
        Unique(("a",)),
        Matches("a", "[0-9]+"),
        OneOf("a", ("1", "2")),
        Between("a", 0, None, strict=True),
        Between("a", None, 10, strict=True),
        Between("a", 1, 9),
        Length("a", 2, 5),
    }


def test_what_is_not_required_is_not_asked_for() -> None:
    assert asked(schema({"name": "a", "constraints": {"required": False, "unique": False}})) == [HasColumns()]


@pytest.mark.parametrize(
    ("match", "columns", "optional"),
    [
        ("exact", [HasColumns(exact=True)], False),
        ("equal", [HasColumns(exact=True)], False),
        ("subset", [HasColumns()], False),
        ("superset", [HasColumns(exact=True)], True),
        ("partial", [], True),
        (["subset"], [HasColumns()], False),
    ],
)
def test_which_columns_have_to_be_there(match: object, columns: list[Question], optional: bool) -> None:
    translation = schema({"name": "a"}, fieldsMatch=match)
    assert asked(translation) == columns
    assert translation.columns[0].optional == optional


def test_keys_are_asked_with_nulls_out_of_the_primary_one() -> None:
    translation = schema(
        {"name": "shop"},
        {"name": "number"},
        primaryKey=["shop", "number"],
        uniqueKeys=[["number"]],
        foreignKeys=[
            {"fields": "shop", "reference": {"resource": "shops", "fields": "id"}},
            {"fields": ["number"], "reference": {"resource": "", "fields": ["number"]}},
        ],
        name="orders",
    )
    assert asked(translation)[1:] == [
        NotNull("shop"),
        NotNull("number"),
        Unique(("shop", "number")),
        Unique(("number",)),
        References(("shop",), "shops", ("id",)),
        References(("number",), "orders", ("number",)),
    ]


def test_words_for_true_and_false_and_categories_are_lists() -> None:
    translation = schema(
        {"name": "yes", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]},
        {"name": "size", "type": "string", "categories": [{"value": "S", "label": "small"}, {"value": "L"}]},
    )
    assert translation.columns[0].type is ColumnType.TEXT
    assert asked(translation)[1:] == [OneOf("yes", ("ja", "nein")), OneOf("size", ("S", "L"))]


def test_missing_values_are_nulls_of_the_source() -> None:
    assert schema({"name": "a"}, missingValues=["", {"value": "-99", "label": "refused"}]).options.nulls == ("", "-99")


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ({"type": "number", "decimalChar": ","}, "fields[0].decimalChar"),
        ({"type": "date", "format": "any"}, "fields[0].format"),
        ({"type": "list", "itemType": "integer"}, "fields[0].itemType"),
        ({"missingValues": ["-"]}, "fields[0].missingValues"),
        ({"type": "array", "constraints": {"minLength": 1}}, "fields[0].constraints"),
        ({"constraints": {"jsonSchema": {}}}, "fields[0].constraints.jsonSchema"),
        ({"constraints": {"requierd": True}}, "fields[0].constraints.requierd"),
        ({"colour": "red"}, "fields[0].colour"),
    ],
)
def test_what_is_not_asked_is_said_with_its_place(field: dict[str, Any], place: str) -> None:
    assert place in remarked(schema({"name": "a", **field}))


@pytest.mark.parametrize(
    ("parsed", "place"),
    [
        ({"fields": [{"type": "string"}]}, "fields[0]"),
        ({"fields": [{"name": "a", "type": "strng"}]}, "fields[0].type"),
        ({"fields": ["a"]}, "fields[0]"),
        ({"fields": [{"name": "a", "constraints": {"minLength": "2"}}]}, "fields[0].constraints.minLength"),
        ({"fields": [{"name": "a"}], "fieldsMatch": "some"}, "fieldsMatch"),
        (
            {"fields": [{"name": "a"}], "foreignKeys": [{"fields": ["a"], "reference": {"fields": ["b", "c"]}}]},
            "foreignKeys[0]",
        ),
    ],
)
def test_what_breaks_the_formats_own_rules_is_refused_with_its_place(parsed: object, place: str) -> None:
    with pytest.raises(RefusedContractError) as refused:
        read_foreign(parsed)
    assert refused.value.at == place


def package(**resource: Any) -> dict[str, Any]:
    return {"resources": [{"name": "orders", "path": "orders.csv", "schema": {"fields": [{"name": "a"}]}, **resource}]}


def test_a_resource_says_how_its_file_is_written() -> None:
    parsed = package(
        encoding="latin-1",
        dialect={"delimiter": ";", "quoteChar": "'", "escapeChar": "\\", "header": False, "nullSequence": "NA"},
    )
    assert format_of(parsed) == "Data Package"
    translation = read_foreign(parsed)
    options = translation.options
    assert (options.delimiter, options.quote, options.escape, options.header) == (";", "'", "\\", False)
    assert (options.encoding, options.nulls) == ("latin-1", ("NA",))
    assert (translation.name, translation.paths) == ("orders", ("orders.csv",))


def test_what_of_a_resource_is_not_compared_or_read_so_is_said() -> None:
    found = read_foreign(package(bytes=12, hash="sha256:00", dialect={"doubleQuote": False, "lineTerminator": "\r\n"}))
    assert remarked(found)[:3] == ["resources[0].hash", "resources[0].bytes", "resources[0].dialect.doubleQuote"]


def test_one_of_several_resources_is_named() -> None:
    parsed = package()
    parsed["resources"].append({"name": "shops", "path": "shops.csv", "schema": {"fields": [{"name": "id"}]}})
    assert read_foreign(parsed, "shops").columns[0].name == "id"
    with pytest.raises(RefusedContractError, match="orders, shops"):
        read_foreign(parsed)
    with pytest.raises(RefusedContractError, match="none is called 'shop'"):
        read_foreign(parsed, "shop")


@pytest.mark.parametrize(
    "dialect", [{"headerRows": [1, 2]}, {"commentChar": "#"}, {"commentRows": [3]}, "dialect.json", {"lineTerminator": ";"}]
)
def test_rows_that_would_be_read_wrong_are_refused(dialect: object) -> None:
    with pytest.raises(RefusedContractError):
        read_foreign(package(dialect=dialect))


def test_the_schema_has_to_be_in_the_file() -> None:
    with pytest.raises(RefusedContractError, match="not in the file itself"):
        read_foreign(package(schema="schema.json"))


def test_no_question_is_asked_of_missing_values_alone() -> None:
    assert not any(isinstance(question, NoneOf) for question in asked(schema({"name": "a"}, missingValues=["-"])))
