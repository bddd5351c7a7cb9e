"""VEX: what somebody says of a weakness counts for the products that it names, and for nothing else."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.support.advisories import WHERE, debian, pypi
from zen_agents.packages.advisories.answer import Answer, Finding
from zen_agents.packages.advisories.audit import Audit, Known, audited
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.advisories.vex import Statement, VexStatus
from zen_agents.packages.advisories.vex_documents import MalformedVexError, statements_of
from zen_agents.packages.package import Distribution, Ecosystem, Package, package

JINJA = pypi("Jinja2", "3.1.3")
APP = pypi("my_app", "1.0")
PURL = "pkg:pypi/jinja2@3.1.3"
WHY = "vulnerable_code_not_in_execute_path"
TODAY = date(2026, 1, 7)


def openvex(*statements: dict[str, Any], **more: Any) -> bytes:
    head = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "a", "version": 1}
    return json.dumps({**head, "timestamp": "2026-01-01T00:00:00.123456789Z", "statements": statements, **more}).encode()


def statement(product: str = PURL, status: str = "not_affected", **more: Any) -> dict[str, Any]:
    given = {"vulnerability": {"name": "CVE-1"}, "products": [{"@id": product}], "status": status}
    return {**given, **({"justification": WHY} if status == "not_affected" else {}), **more}


def cyclonedx(state: str, ref: str = PURL, *, versions: Any = None, components: Any = (), **analysis: Any) -> bytes:
    affects = {"ref": ref, **({} if versions is None else {"versions": versions})}
    weakness = {
        "id": "CVE-1", "references": [{"id": "GHSA-x", "source": {"name": "x"}}],
        "analysis": {"state": state, **analysis}, "affects": [affects],
    }  # fmt: skip
    body = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, "vulnerabilities": [weakness]}
    return json.dumps(body).encode()


def judged(*documents: bytes, about: Package = JINJA, names: tuple[str, ...] = ("PYSEC-1", "CVE-1")) -> Audit:
    finding = Finding(about, names[0], frozenset(names[1:]), Severity(), "", "", "osv")
    said: list[Statement] = []
    for number, document in enumerate(documents):
        said += statements_of(document, f"{number}.json")
    answers = [Answer("osv", frozenset(Ecosystem), (finding,), (), None)]
    return audited([about, APP], answers, Known(statements=said), TODAY)


def excused(*documents: bytes, **more: Any) -> bool:
    found = judged(*documents, **more)
    assert len(found.findings) + len(found.excused) == 1
    return bool(found.excused)


def test_what_is_not_affected_is_told_with_the_reason_and_does_not_count() -> None:
    found = judged(openvex(statement(impact_statement="the sandbox\nis off")))
    ((finding, said),) = found.excused
    assert (finding.advisory, said.status, said.source) == ("PYSEC-1", VexStatus.NOT_AFFECTED, "0.json")
    assert said.reason == f"{WHY}: the sandbox is off"


@pytest.mark.parametrize("status", ["affected", "under_investigation"])
def test_what_is_affected_or_not_known_yet_counts(status: str) -> None:
    assert not excused(openvex(statement(status=status, action_statement="upgrade")))


def test_what_is_fixed_is_so_in_the_version_that_is_named() -> None:
    assert excused(openvex(statement(status="fixed")))
    assert not excused(openvex(statement("pkg:pypi/jinja2", status="fixed")))


@pytest.mark.parametrize(
    ("product", "is_here"),
    [
        (PURL, True),
        ("pkg:pypi/jinja2", True),
        ("pkg:pypi/Jinja2@3.1.3", True),
        ("pkg:pypi/jinja2@3.1.2", False),
        ("pkg:pypi/flask@3.1.3", False),
        ("pkg:npm/jinja2@3.1.3", False),
        ("pkg:pypi/jinja2@3.1.3?extra=i18n", False),
        ("pkg:oci/debian@sha256%3A00", False),
        ("pkg:", False),
        ("https://example.com/jinja2", False),
        (f"file://{WHERE}", True),
        (f"environment:pypi:{WHERE}", True),
        ("file:///srv/other", False),
    ],
)
def test_a_statement_is_about_what_it_names_alone(product: str, is_here: bool) -> None:
    assert excused(openvex(statement(product))) is is_here
    by_identifier = {"@id": "https://example.com/x", "identifiers": {"purl": product}}
    assert excused(openvex(statement(products=[by_identifier]))) is is_here


def test_a_debian_package_is_named_with_its_architecture_release_or_by_its_source() -> None:
    ssl = Package(
        Ecosystem.DEBIAN, "libssl3", "3.0.11-1+b1", "/", "openssl", "3.0.11-1", "amd64", Distribution("debian", "bookworm")
    )
    for product, is_here in (
        ("pkg:deb/debian/libssl3@3.0.11-1%2Bb1?arch=amd64&distro=bookworm", True),
        ("pkg:deb/debian/libssl3@3.0.11-1%2Bb1?arch=arm64", False),
        ("pkg:deb/debian/libssl3?distro=trixie", False),
        ("pkg:deb/ubuntu/libssl3", False),
        ("pkg:deb/debian/openssl@3.0.11-1?arch=source", True),
        ("pkg:deb/debian/openssl@3.0.11-1", False),
    ):
        assert excused(openvex(statement(product)), about=ssl) is is_here, product
    assert excused(openvex(statement("pkg:deb/debian/bash")), about=debian("bash", "5"))


def test_a_scoped_package_of_npm_is_named_with_its_scope() -> None:
    node = package(Ecosystem.NPM, "@types/node", "20.1.0", "/a")
    assert excused(openvex(statement("pkg:npm/%40types/node@20.1.0")), about=node)
    assert not excused(openvex(statement("pkg:npm/node@20.1.0")), about=node)


def test_parts_of_a_product_are_meant_where_the_product_is() -> None:
    def of(product: str, part: str) -> bytes:
        return openvex(statement(products=[{"@id": product, "subcomponents": [{"@id": part}]}]))

    assert excused(of("pkg:pypi/my-app@1.0", PURL))
    assert excused(of(f"file://{WHERE}", "pkg:pypi/jinja2"))
    assert not excused(of("pkg:pypi/my-app@2.0", PURL))
    assert not excused(of("pkg:oci/somebody-elses-image", PURL))
    assert not excused(of("pkg:pypi/my-app@1.0", "pkg:pypi/flask"))


@pytest.mark.parametrize(("names", "is_meant"), [(("GHSA-y", "CVE-2"), False), (("CVE-1",), True), (("GHSA-x",), True)])
def test_any_name_of_a_weakness_does_and_no_other_weakness(names: tuple[str, ...], is_meant: bool) -> None:
    document = openvex(statement(vulnerability={"name": "CVE-1", "aliases": ["GHSA-x"]}))
    assert excused(document, names=names) is is_meant


def test_the_latest_statement_counts_of_one_moment_the_last() -> None:
    later = openvex(statement(status="affected"), timestamp="2026-01-05T00:00:00+01:00")
    assert not excused(later, openvex(statement()))
    assert excused(later, openvex(statement(timestamp="2026-01-06T00:00:00Z")))
    assert not excused(openvex(statement(), statement(status="affected")))
    assert excused(openvex(statement(status="under_investigation"), statement()))
    # Also where each calls the weakness by another of its names.
    by_others = [statement(vulnerability={"name": name}) for name in ("CVE-1", "GHSA-x", "PYSEC-1", "OSV-1")]
    last = statement(vulnerability={"name": "CVE-2"}, status="affected")
    assert not excused(openvex(*by_others, last), names=("CVE-1", "GHSA-x", "PYSEC-1", "OSV-1", "CVE-2"))


def test_versions_before_0_2_name_products_and_weaknesses_by_their_id_alone() -> None:
    assert excused(openvex(statement(vulnerability="CVE-1", products=[PURL])))
    old = statement(vulnerability="CVE-1", products=["pkg:pypi/my-app@1.0"], subcomponents=[PURL])
    assert excused(openvex(old))


@pytest.mark.parametrize(
    ("state", "more", "is_excused"),
    [
        ("not_affected", {"justification": "code_not_reachable"}, True),
        ("not_affected", {"detail": "it is not called"}, True),
        ("not_affected", {}, False),
        ("false_positive", {"detail": "not this jinja2"}, True),
        ("resolved", {}, True),
        ("resolved_with_pedigree", {}, True),
        ("exploitable", {"detail": "upgrade"}, False),
        ("in_triage", {"justification": "code_not_reachable"}, False),
    ],
)
def test_the_analysis_of_a_cyclonedx_document(state: str, more: dict[str, str], is_excused: bool) -> None:
    assert excused(cyclonedx(state, **more)) is is_excused


@pytest.mark.parametrize(
    ("ref", "is_here"),
    [
        ("x", True), ("y", False), ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#x", True),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Apypi/jinja2%403.1.3", True), ("deep", True),
    ],
)  # fmt: skip
def test_a_component_is_named_by_its_reference(ref: str, is_here: bool) -> None:
    inner = {"type": "library", "name": "jinja2", "bom-ref": "deep", "purl": PURL}
    components = [
        {"type": "library", "name": "jinja2", "bom-ref": "x", "purl": PURL},
        {"type": "application", "name": "app", "bom-ref": "y", "purl": "pkg:pypi/app@1.0", "components": [inner]},
    ]
    assert excused(cyclonedx("not_affected", ref, components=components, detail="d")) is is_here


@pytest.mark.parametrize(
    ("versions", "is_excused"),
    [
        ([{"version": "3.1.3", "status": "unaffected"}], True),
        ([{"version": "3.1.2", "status": "unaffected"}], False),
        ([{"version": "3.1.3", "status": "affected"}], False),
        ([{"version": "3.1.3"}], False),
        ([{"range": "vers:pypi/<4", "status": "unaffected"}], False),
        ([], False),
    ],
)
def test_versions_that_are_listed_are_those_it_is_about(versions: Any, is_excused: bool) -> None:
    assert excused(cyclonedx("not_affected", "pkg:pypi/jinja2", versions=versions, detail="d")) is is_excused


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no JSON"), (b"[" * 100_000, "no JSON"), (b"[]", "neither"), (b'{"bomFormat": "SPDX"}', "neither"),
        (openvex(statement(status="fine")), "statements.0.status: .*is none of not_affected, fixed"),
        (openvex({"status": "fixed"}), "statements.0.vulnerability"),
        (openvex(statement(products=7)), "statements.0.products"),
        (openvex(statement(), timestamp="some day"), "timestamp"),
        (cyclonedx("fine"), "vulnerabilities.0.analysis.state"),
        (cyclonedx("resolved", ref=7), "vulnerabilities.0.affects.0.ref"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_is_no_vex_is_refused_with_its_place(content: bytes, why: str) -> None:
    with pytest.raises(MalformedVexError, match=why):
        statements_of(content, "x")
