"""Inventories as a bill of materials: CycloneDX 1.6 in JSON.

Written by its schema, to which the tests hold it: the library that there is for it takes ten seconds for the packages of one
host. Each environment stands in it with what it holds, and is called incomplete where something could not be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from zen_agents.packages.package import Ecosystem, Inventory, Package

_KINDS: Final = {Ecosystem.DEBIAN: "operating-system", Ecosystem.PYPI: "application", Ecosystem.NPM: "application"}


def bill_of_materials(
    inventories: Sequence[Inventory], *, host: str, at: datetime, serial: UUID, tool_version: str
) -> Mapping[str, Any]:
    """Return the document; a package that several environments have stands in it once."""
    tool = {"type": "application", "name": "zen-agents", "version": tool_version}
    root = f"host:{host}"
    packages = {package.purl: package for inventory in inventories for package in inventory.packages}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": at.isoformat(timespec="seconds"),
            "tools": {"components": [tool]},
            "component": {"type": "device", "bom-ref": root, "name": host},
        },
        "components": [
            *(_environment(inventory) for inventory in inventories),
            *(_component(package) for package in packages.values()),
        ],
        "dependencies": [
            {"ref": root, "dependsOn": [_ref(inventory) for inventory in inventories]},
            *({"ref": _ref(each), "dependsOn": [*dict.fromkeys(p.purl for p in each.packages)]} for each in inventories),
        ],
        "compositions": [
            {"aggregate": "incomplete" if each.problems else "complete", "dependencies": [_ref(each)]}
            for each in inventories
        ],
        "annotations": [
            {
                "subjects": [_ref(inventory)],
                "annotator": {"component": tool},
                "timestamp": at.isoformat(timespec="seconds"),
                "text": str(problem),
            }
            for inventory in inventories
            for problem in inventory.problems
        ],
    }


def _ref(inventory: Inventory) -> str:
    return f"environment:{inventory.ecosystem}:{inventory.environment}"


def _environment(inventory: Inventory) -> Mapping[str, Any]:
    return {"type": _KINDS[inventory.ecosystem], "bom-ref": _ref(inventory), "name": inventory.environment}


def _component(package: Package) -> Mapping[str, Any]:
    group, slash, name = package.name.rpartition("/")
    named = {"group": group, "name": name} if slash else {"name": name}
    return {"type": "library", "bom-ref": package.purl, **named, "version": package.version, "purl": package.purl}
