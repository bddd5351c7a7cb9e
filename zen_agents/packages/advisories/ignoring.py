"""Which weaknesses a person has decided to live with, why, and until when: there is no ignoring without an end."""

from __future__ import annotations

from datetime import date

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.package import normal_name


@dataclass(frozen=True, slots=True)
class Ignore:
    """One decision: this weakness, in this package or in all, up to and including a day."""

    advisory: str
    reason: str
    until: date
    #: "" for every package.
    package: str = ""

    def covers(self, finding: Finding) -> bool:
        """Tell whether it is about this finding, by any name of the weakness."""
        ecosystem = finding.package.ecosystem
        named = {finding.package.name, finding.package.source}
        return self.advisory in finding.names and (not self.package or normal_name(ecosystem, self.package) in named)
