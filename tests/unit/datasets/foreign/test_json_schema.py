"""JSON Schema of lines of JSON as a contract of ours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.foreign.descriptor import RefusedContractError
from zen_agents.datasets.foreign.recognise import format_of, read_foreign
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.datasets.questions import Between, HasColumns, Length, Matches, NotNull, OneOf


def read(properties: dict[str, Any], **more: Any) -> Translation:
    parsed = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": properties, **more}
    assert format_of(parsed) == "JSON Schema"
    return read_foreign(parsed)


def asked(translation: Translation) -> set[object]:
    return {check.asks for check in translation.checks}


def test_properties_are_columns_and_the_required_ones_have_to_be_there() -> None:
    translation = read(
        {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}, "note": {"type": ["string", "null"]}},
        required=["id", "note"],
    )
    assert translation.columns == (
        Column("id", ColumnType.INTEGER),
        Column("at", ColumnType.TIMESTAMP, optional=True),
        Column("note", ColumnType.TEXT),
    )
    assert asked(translation) == {NotNull("id"), HasColumns()}


def test_each_keyword_is_a_question() -> None:
    translation = read(
        {
            "n": {"type": "number", "minimum": 1, "exclusiveMaximum": 9.5},
            "t": {"type": "string", "minLength": 1, "maxLength": 3, "enum": ["a", None]},
            "k": {"const": "x"},
        },
        additionalProperties=False,
    )
    assert asked(translation) == {
        Between("n", 1, None),
        Between("n", None, 9.5, strict=True),
        Length("t", 1, 3),
        OneOf("t", ("a",)),
        OneOf("k", ("x",)),
        HasColumns(exact=True),
    }


def test_the_exclusive_bounds_of_draft_4_are_flags() -> None:
    assert Between("n", 0, None, strict=True) in asked(read({"n": {"minimum": 0, "exclusiveMinimum": True}}))


@given(st.text(alphabet="ab1-", max_size=8), st.sampled_from(["^a", "1$", "a1", "^a+$", "a|1"]))
def test_a_pattern_is_found_anywhere_as_the_standard_says(text: str, pattern: str) -> None:
    (matches,) = (question for question in asked(read({"t": {"pattern": pattern}})) if isinstance(question, Matches))
    assert bool(re.fullmatch(matches.pattern, text)) == bool(re.search(pattern, text))


def test_references_within_the_file_are_followed() -> None:
    translation = read({"day": {"$ref": "#/$defs/a~1day"}}, **{"$defs": {"a/day": {"type": "string", "format": "date"}}})
    assert translation.columns == (Column("day", ColumnType.DATE, optional=True),)


def test_a_choice_with_null_is_the_other_one() -> None:
    translation = read({"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, required=["n"])
    assert translation.columns == (Column("n", ColumnType.INTEGER),)
    assert asked(translation) == {HasColumns()}


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "properties.a.oneOf"),
        ({"type": ["integer", "string"]}, "properties.a.type"),
        ({"type": "object", "properties": {"b": {}}}, "properties.a.properties"),
        ({"multipleOf": 5}, "properties.a.multipleOf"),
        ({"type": "string", "format": "iri"}, "properties.a.format"),
    ],
)
def test_what_is_not_asked_is_said_with_its_place(said: dict[str, Any], place: str) -> None:
    assert place in [remark.at for remark in read({"a": said}).remarks]


@pytest.mark.parametrize(
    "parsed",
    [
        {"properties": {"a": {"$ref": "https://elsewhere.example/schema"}}},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"properties": {"a": {"$ref": "#/$defs/none"}}},
        {"properties": {"a": {"type": "strng"}}},
        {"properties": {"a": {"minimum": "1"}}},
        {"type": "array", "properties": {}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
    ],
)
def test_what_cannot_be_read_is_refused(parsed: object) -> None:
    with pytest.raises(RefusedContractError):
        read_foreign(parsed)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["fields", "name", "type", "format", "constraints", "resources", "schema", "path", "properties", "$ref",
                 "enum", "anyOf", "kind", "apiVersion", "quality", "metric", "logicalType", "primaryKey", "minimum"]
            ),
            inner | st.sampled_from(["string", "DataContract", "v3.1.0", "date", "#/properties"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_anything_is_read_or_refused(parsed: object) -> None:
    try:
        translation = read_foreign(parsed)
    except RefusedContractError as refused:
        assert refused.what
    else:
        assert len({check.name for check in translation.checks}) == len(translation.checks)
