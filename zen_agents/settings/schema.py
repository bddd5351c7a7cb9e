"""The JSON Schema (draft 07) that editors check a configuration by."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from zen_agents import catalog
from zen_agents.settings.models import Settings

DRAFT = "http://json-schema.org/draft-07/schema#"
#: Pydantic's keywords of later drafts -> draft 07's.
_RENAMED = {"$defs": "definitions", "prefixItems": "items"}


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, with every agent and action of the catalog and free `x-` keys."""
    models: list[type[BaseModel]] = [Settings]
    models += [agent.Settings for agent in catalog.AGENTS.values()]
    models += [action.Policy for action in catalog.ACTIONS.values()]
    unique = list(dict.fromkeys(models))
    references, whole = models_json_schema([(model, "validation") for model in unique], ref_template="#/definitions/{model}")
    definitions: dict[str, Any] = whole["$defs"]
    definitions = {name: _with_free_keys(definition) for name, definition in definitions.items()}
    top = definitions.pop(_name(references[(Settings, "validation")]))
    top["properties"]["agents"] = _agents(references)
    top["properties"]["actions"] = _actions(references)
    head: dict[str, Any] = {"$schema": DRAFT, "title": "zen-agents configuration, version 1"}
    return {**head, **_draft_07(top), "definitions": _draft_07(definitions)}


def _agents(references: dict[Any, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {name: references[(agent.Settings, "validation")] for name, agent in catalog.AGENTS.items()}
    return _map(known, "the agents, by name")


def _actions(references: dict[Any, Any]) -> dict[str, Any]:
    policies = {
        name: {"anyOf": [references[(action.Policy, "validation")], {"type": "null"}]}
        for name, action in catalog.ACTIONS.items()
    }
    allow = _map(policies, "what may run, with its scope")
    return _map({"default": {"const": "deny"}, "allow": allow}, "what may be done")


def _map(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return _with_free_keys(
        {"type": "object", "description": description, "properties": properties, "additionalProperties": False}
    )


def _with_free_keys(definition: dict[str, Any]) -> dict[str, Any]:
    if definition.get("type") != "object":
        return definition
    return definition | {"patternProperties": {"^x-": {}}}


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _draft_07(value: Any) -> Any:
    if isinstance(value, dict):
        return {_RENAMED.get(key, key): _draft_07(item) for key, item in value.items() if key != "discriminator"}
    if isinstance(value, list):
        return [_draft_07(item) for item in value]
    return value
