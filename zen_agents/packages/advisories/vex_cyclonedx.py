"""Reads the vulnerabilities of a CycloneDX document (1.4 and later) whose analysis is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from packageurl import PackageURL
from pydantic import BaseModel, Field

from zen_agents.packages.advisories.vex import Product, Statement, VexStatus
from zen_agents.packages.advisories.vex_words import Moment, Status, joined

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_LINK: Final = "urn:cdx:"


class _Analysis(BaseModel):
    state: Status | None = None
    justification: str = ""
    detail: str = ""
    updated: Moment | None = Field(None, alias="lastUpdated")


class _Version(BaseModel):
    version: str = ""
    status: str = "affected"


class _Affects(BaseModel):
    ref: str
    versions: list[_Version] | None = None


class _Named(BaseModel):
    id: str = ""


class _Weakness(BaseModel):
    id: str = ""
    references: list[_Named] = []
    analysis: _Analysis | None = None
    affects: list[_Affects] = []
    updated: Moment | None = None


class _Listed(BaseModel):
    ref: str = Field("", alias="bom-ref")
    purl: str = ""
    components: list[_Listed] = []


class _Metadata(BaseModel):
    timestamp: Moment | None = None
    component: _Listed | None = None


class _CycloneDx(BaseModel):
    metadata: _Metadata = _Metadata()
    components: list[_Listed] = []
    vulnerabilities: list[_Weakness] = []


def of_cyclonedx(document: Any, source: str) -> Iterator[Statement]:
    """Yield what a document says; ValidationError if it is not as CycloneDX is written."""
    read = _CycloneDx.model_validate(document)
    own = [read.metadata.component] if read.metadata.component else []
    purls = dict(_purls([*own, *read.components]))
    for each in read.vulnerabilities:
        if each.analysis is None or each.analysis.state is None:
            continue
        analysis, state = each.analysis, each.analysis.state
        names = frozenset(filter(None, (each.id, *(one.id for one in each.references))))
        at = analysis.updated or each.updated or read.metadata.timestamp or _EPOCH
        reason = joined((analysis.justification, analysis.detail))
        for affects in each.affects:
            id = _resolved(affects.ref, purls)
            if affects.versions is None:
                yield Statement(names, (Product((id,)),), state, reason, at, source)
                continue
            for one in affects.versions:
                # A range is not gone by: it may hold more than its author thought of.
                if one.version and (dated := _of_version(id, one.version)):
                    status = state if one.status == "unaffected" else VexStatus.AFFECTED
                    yield Statement(names, (Product((dated,)),), status, reason, at, source)


def _of_version(id: str, version: str) -> str:
    """Return the package URL of another version, "" if this is none."""
    try:
        return PackageURL.from_string(id)._replace(version=version).to_string()
    except ValueError:
        return ""


def _purls(components: Iterable[_Listed]) -> Iterator[tuple[str, str]]:
    for each in components:
        if each.ref and each.purl:
            yield each.ref, each.purl
        yield from _purls(each.components)


def _resolved(ref: str, purls: Mapping[str, str]) -> str:
    """Return what a reference, also one into another document, names: a package URL if that can be told."""
    inner = unquote(ref.partition("#")[2]) if ref.startswith(_LINK) else ref
    return purls.get(inner, inner)
