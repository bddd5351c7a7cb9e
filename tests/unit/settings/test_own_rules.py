"""A person's own rules know every observation that the agents could make, and nothing else."""

import pytest

from tests.support.settings import loaded

SERVICE = """
agents:
  system_health:
    thresholds: {disk: [{path: /srv, above: 80%}]}
    services:
      web: {unit: web.service}
    rules:
      mine: {when: "WHEN", target: "TARGET"}
"""


@pytest.mark.parametrize(
    ("when", "target"),
    [
        ("process.web.rss > 500MiB", "service:web"),
        ("process.web.cpu_percent > 90 and process.web.descriptors_percent > 50", "service:web"),
        ("process.web.rss > 500MiB", "host"),
        ("disk.percent > 90", "disk:/srv"),
        # Of two disks a rule about the host means the root.
        ("disk.percent > 90", "host"),
    ],
)
def test_what_is_measured_only_because_a_rule_asks_is_known(when: str, target: str) -> None:
    result = loaded(SERVICE.replace("WHEN", when).replace("TARGET", target))
    assert [found.message for found in result.diagnostics if found.code.startswith("ZC3")] == []
    assert result.settings is not None


@pytest.mark.parametrize("when", ["process.web.rsss > 1", "process.db.rss > 1", "unit.db > 1"])
def test_what_nobody_measures_is_told_with_its_place(when: str) -> None:
    result = loaded(SERVICE.replace("WHEN", when).replace("TARGET", "host"))
    (found,) = [each for each in result.diagnostics if each.code == "ZC305"]
    assert found.place.line == 8
