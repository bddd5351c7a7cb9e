"""What came of loading, on its way from one process to another: JSON, one line for the whole and one for each listed entry.

Handed over is what was written, merged and checked, not what became of it: whoever receives it makes the settings from it by
the same models. Nothing of it is believed that a file could not have said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from zen_agents import catalog
from zen_agents.settings.assembly import built_in_actions
from zen_agents.settings.diagnostics import Diagnostic, Level, Report
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import ActionsSettings, Settings
from zen_agents.settings.nodes import Document, Node, Origin, Place, put
from zen_agents.settings.plugins import load_plugins
from zen_agents.settings.shape import Shape
from zen_agents.settings.shape import root as grammar
from zen_agents.settings.validation import plain_values

#: Agent -> section -> name -> values of one entry, like `agents.system_health.paths.NAME`.
_Entries = dict[str, dict[str, dict[str, Any]]]


def to_lines(loaded: Loaded, tree: Node) -> Iterator[str]:
    """Yield the lines for what was loaded from a tree."""
    diagnostics = [asdict(_without_text(each)) for each in loaded.diagnostics]
    head: dict[str, Any] = {
        "settings": None, "diagnostics": diagnostics, "origins": loaded.origins, "digest": loaded.digest,
        "files": loaded.files,
    }  # fmt: skip
    entries: _Entries = {}
    if loaded.settings is not None:
        head["settings"], entries = _written(loaded.settings, tree)
    yield json.dumps(head)
    for agent, sections in entries.items():
        for section, named in sections.items():
            for name, values in named.items():
                yield json.dumps([agent, section, name, values])


def from_lines(lines: Iterable[str]) -> Loaded:
    """Return what was loaded; ValueError, KeyError or TypeError if the lines are not what `to_lines` gives.

    Equal texts and durations of all entries are the same objects: there may be thousands.
    """
    rest = iter(lines)
    head = json.loads(next(rest, "null"))
    settings = None if head["settings"] is None else _settings(head["settings"], head["files"][0], rest)
    diagnostics = tuple(_diagnostic(each) for each in head["diagnostics"])
    return Loaded(settings, diagnostics, {}, head["origins"], head["digest"], tuple(head["files"]))


def _written(settings: Settings, tree: Node) -> tuple[dict[str, Any], _Entries]:
    """Return the values that the settings were made from, and those of listed entries for themselves."""
    others = {key: entry for key, entry in tree.value.items() if key not in ("agents", "actions")}
    agents = {name: _values(tree.get("agents", name), type(agent)) for name, agent in settings.agents.items()}
    allow = settings.actions.allow
    written = {
        "others": plain_values(Node(tree.place, others), grammar(), (), Report()),
        "agents": agents,
        "allow": None
        if settings.actions.built_in
        else {name: _values(tree.get("actions", "allow", name), type(policy)) for name, policy in allow.items()},
    }
    entries = {name: _take_entries(values, type(settings.agents[name])) for name, values in agents.items()}
    return written, entries


def _values(node: Node | None, model: type[BaseModel]) -> dict[str, Any]:
    """Return what was written of a section; an empty one is as good as none."""
    values = plain_values(node, Shape(model), (), Report()) if node is not None else None
    return values if values is not None else {}


def _take_entries(values: dict[str, Any], model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    shape = Shape(model)
    return {section: values.pop(section) for section in list(values) if _entry_model(shape, section) is not None}


def _entry_model(shape: Shape, section: str) -> type[BaseModel] | None:
    """Return the model of the entries of a section that lists them by name, None if it is no such section."""
    below = shape.step(section)
    entry = below.step("*") if below is not None and below.lists else None
    return entry.models[0] if entry is not None and len(entry.models) == 1 else None


def _settings(written: Mapping[str, Any], file: str, lines: Iterator[str]) -> Settings:
    settings = Settings.model_validate(written["others"])
    _extend_catalog(settings, file)
    agents: dict[str, dict[str, Any]] = written["agents"]
    models: dict[str, type[BaseModel]] = {name: catalog.AGENTS[name].Settings for name in agents}
    shapes = {name: Shape(model) for name, model in models.items()}
    known: dict[Any, Any] = {}
    for line in lines:
        name, section, label, values = json.loads(line)
        model = _entry_model(shapes[name], section)
        if model is None:
            raise ValueError(f"{name} lists no {section}")
        agents[name].setdefault(section, {})[label] = _shared(model.model_validate(values), known)
    allow = written["allow"]
    update = {
        "agents": {name: models[name].model_validate(values) for name, values in agents.items()},
        "actions": built_in_actions()
        if allow is None
        else ActionsSettings(
            allow={name: catalog.ACTIONS[name].Policy.model_validate(values) for name, values in allow.items()}
        ),
    }
    return settings.model_copy(update=update)


def _allowed(name: str, values: Mapping[str, Any]) -> Any:
    return catalog.ACTIONS[name].Policy.model_validate(values)


def _extend_catalog(settings: Settings, file: str) -> None:
    """Load here, too, the plug-ins that were loaded, and found to be right, where the settings come from."""
    if not settings.plugins:
        return
    document, report = Document(file), Report()
    load_plugins(put(Node(Place(document), {}), ["plugins"], list(settings.plugins), document), os.geteuid(), report)
    if report.failed:
        raise ValueError("a plug-in cannot be loaded")


def _shared(value: Any, known: dict[Any, Any]) -> Any:
    """Return a value in which equal texts, durations, and pydantic's sets of written keys are the same objects."""
    if type(value) in (str, timedelta):
        return known.setdefault(value, value)
    if type(value) is tuple:
        return tuple(_shared(each, known) for each in value)
    if isinstance(value, BaseModel):
        for name, each in value.__dict__.items():
            value.__dict__[name] = _shared(each, known)
        written = value.model_fields_set
        object.__setattr__(value, "__pydantic_fields_set__", known.setdefault(frozenset(written), written))
    return value


def _without_text(diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic that does not carry the text of its file; what is shown in short never quotes it."""
    place = diagnostic.place
    return replace(diagnostic, place=replace(place, document=replace(place.document, lines=())))


def _diagnostic(values: dict[str, Any]) -> Diagnostic:
    place = values.pop("place")
    document = Document(place["document"]["name"], Origin(place["document"]["origin"]))
    where = Place(document, place["line"], place["column"], place["length"])
    return Diagnostic(**values | {"level": Level(values["level"]), "place": where})
