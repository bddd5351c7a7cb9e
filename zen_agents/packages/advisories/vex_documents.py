"""Reads VEX as OpenVEX (0.0.x and 0.2.0) and as the vulnerabilities of a CycloneDX document (1.4 and later)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import unquote

from packageurl import PackageURL
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from zen_agents.packages.advisories.vex import Product, Statement, VexStatus

_OPENVEX: Final = "https://openvex.dev/ns"
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_STATUS: Final = {
    "not_affected": VexStatus.NOT_AFFECTED, "fixed": VexStatus.FIXED, "affected": VexStatus.AFFECTED,
    "under_investigation": VexStatus.UNDER_INVESTIGATION,
    # As CycloneDX calls the states of an analysis.
    "false_positive": VexStatus.NOT_AFFECTED, "resolved": VexStatus.FIXED, "resolved_with_pedigree": VexStatus.FIXED,
    "exploitable": VexStatus.AFFECTED, "in_triage": VexStatus.UNDER_INVESTIGATION,
}  # fmt: skip
_LINK: Final = "urn:cdx:"


class MalformedVexError(ValueError):
    """This is no VEX document; nothing is excused by it."""


def statements_of(content: bytes, source: str) -> tuple[Statement, ...]:
    """Return what a document says; MalformedVexError says what is wrong with it: nobody goes by half of one."""
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedVexError("is no JSON") from None
    try:
        if isinstance(read, dict) and str(read.get("@context", "")).startswith(_OPENVEX):
            return tuple(_of_openvex(_OpenVex.model_validate(read), source))
        if isinstance(read, dict) and read.get("bomFormat") == "CycloneDX":
            return tuple(_of_cyclonedx(_CycloneDx.model_validate(read), source))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedVexError(f"is not as VEX is written: {place}: {first['msg']}") from None
    raise MalformedVexError("is neither OpenVEX nor CycloneDX")


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _status(word: object) -> VexStatus:
    if not isinstance(word, str) or word not in _STATUS:
        raise ValueError(f"is none of {', '.join(_STATUS)}")
    return _STATUS[word]


_Status = Annotated[VexStatus, BeforeValidator(_status)]


# -- OpenVEX ----------------------------------------------------------------------------------------------------------
def _by_id(value: object) -> object:
    """Versions before 0.2.0 write the id alone where a component stands today."""
    return {"@id": value} if isinstance(value, str) else value


def _by_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class _Component(BaseModel):
    id: str = Field("", alias="@id")
    identifiers: dict[str, str] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(each for each in (self.id, self.identifiers.get("purl", "")) if each)


_Part = Annotated[_Component, BeforeValidator(_by_id)]


class _OpenProduct(_Component):
    subcomponents: list[_Part] = []


class _Vulnerability(BaseModel):
    name: str = Field(min_length=1)
    aliases: list[str] = []


class _OpenStatement(BaseModel):
    vulnerability: Annotated[_Vulnerability, BeforeValidator(_by_name)]
    products: list[Annotated[_OpenProduct, BeforeValidator(_by_id)]] = []
    subcomponents: list[_Part] = []
    status: _Status
    justification: str = ""
    impact_statement: str = ""
    status_notes: str = ""
    timestamp: datetime | None = None
    last_updated: datetime | None = None


class _OpenVex(BaseModel):
    timestamp: datetime
    last_updated: datetime | None = None
    statements: list[_OpenStatement]


def _of_openvex(document: _OpenVex, source: str) -> Iterator[Statement]:
    for each in document.statements:
        products = [
            Product(one.ids, tuple(part.ids for part in (*one.subcomponents, *each.subcomponents))) for one in each.products
        ]  # fmt: skip
        at = each.last_updated or each.timestamp or document.timestamp
        said = (each.justification, each.impact_statement)
        reason = _joined(said if each.status is VexStatus.NOT_AFFECTED else (each.status_notes,))
        names = frozenset({each.vulnerability.name, *each.vulnerability.aliases})
        yield Statement(names, tuple(products), each.status, reason, _utc(at), source)


def _joined(said: Iterable[str]) -> str:
    """Return what is said, in one line."""
    return ": ".join(filter(None, (" ".join(each.split()) for each in said)))


# -- CycloneDX --------------------------------------------------------------------------------------------------------
class _Analysis(BaseModel):
    state: _Status | None = None
    justification: str = ""
    detail: str = ""
    updated: datetime | None = Field(None, alias="lastUpdated")


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
    updated: datetime | None = None


class _Listed(BaseModel):
    ref: str = Field("", alias="bom-ref")
    purl: str = ""
    components: list[_Listed] = []


class _Metadata(BaseModel):
    timestamp: datetime | None = None
    component: _Listed | None = None


class _CycloneDx(BaseModel):
    metadata: _Metadata = _Metadata()
    components: list[_Listed] = []
    vulnerabilities: list[_Weakness] = []


def _of_cyclonedx(document: _CycloneDx, source: str) -> Iterator[Statement]:
    own = [document.metadata.component] if document.metadata.component else []
    purls = dict(_purls([*own, *document.components]))
    for each in document.vulnerabilities:
        if each.analysis is None or each.analysis.state is None:
            continue
        analysis, state = each.analysis, each.analysis.state
        names = frozenset(filter(None, (each.id, *(one.id for one in each.references))))
        at = _utc(analysis.updated or each.updated or document.metadata.timestamp or _EPOCH)
        reason = _joined((analysis.justification, analysis.detail))
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


def _resolved(ref: str, purls: Mapping[str, Any]) -> str:
    """Return what a reference, also one into another document, names: a package URL if that can be told."""
    inner = unquote(ref.partition("#")[2]) if ref.startswith(_LINK) else ref
    return str(purls.get(inner, inner))
