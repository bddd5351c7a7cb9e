"""What is looked at, place by place: the question of each, the check that asks it, and what may be done there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zen_agents.agents.dependency_manager.advisories import AdvisorySettings
from zen_agents.agents.dependency_manager.places import Place
from zen_agents.agents.dependency_manager.settings import DependencyManagerSettings
from zen_agents.checks.package import PackageCheck
from zen_agents.dataclass import dataclass
from zen_agents.model.duration import seconds_in
from zen_agents.model.package_look import PackageQuestion

#: Looks that come by the schedule alone, which is a turn of everything, are not due by themselves for so long (seconds).
BY_SCHEDULE = 366 * 86400.0
#: How long one look may take, with sources that answer slowly (seconds).
_WITHIN_SECONDS = 420.0
HOST_LABEL = "debian"


@dataclass(frozen=True, slots=True)
class Looked:
    """One place that is looked at."""

    label: str
    #: `environment:NAME`, `packages:debian` or `project:PATH`.
    target: str
    asked: PackageQuestion
    settings: Place
    #: Key path of it, below the agent's section.
    at: str

    @property
    def name(self) -> str:
        """How its observations begin."""
        return f"packages.{self.label}"


def looked_at(settings: DependencyManagerSettings, cache_directory: str) -> Iterator[Looked]:
    """Yield every place that the settings list."""
    advisories = settings.advisories or AdvisorySettings()
    common: dict[str, Any] = {**advisories.question_words, **settings.policy_words, "cache_directory": cache_directory}
    for name, environment in settings.environments.items():
        sources: Mapping[str, Any] = {"index": environment.index or "", "wheels": environment.wheels}
        asked = PackageQuestion("pypi", environment.venv, **common, **sources)
        yield Looked(name, f"environment:{name}", asked, environment, f"environments.{name}")
    if settings.debian is not None and settings.debian.enabled:
        refresh_after = seconds_in(settings.debian.refresh_after)
        asked = PackageQuestion("debian", "/", **common, refresh_after_seconds=refresh_after)
        yield Looked(HOST_LABEL, f"packages:{HOST_LABEL}", asked, settings.debian, HOST_LABEL)
    if settings.npm is not None:
        registry = settings.npm.registry or ""
        common["npm"] = common["npm"] or registry
        for path in settings.npm.projects:
            label = path.strip("/").replace("/", ".")
            yield Looked(
                label, f"project:{label}", PackageQuestion("npm", path, **common, index=registry), settings.npm, "npm"
            )


def every_seconds(settings: DependencyManagerSettings) -> float:
    """Return the rhythm of the looks: that of the interval, or none of their own where there is a schedule."""
    return BY_SCHEDULE if settings.schedule is not None else seconds_in(settings.interval)


def check_of(place: Looked, settings: DependencyManagerSettings) -> PackageCheck:
    """Return what looks at a place."""
    return PackageCheck(
        place.label, place.target, place.asked, telling=place.settings.tell_unfixed,
        every_seconds=every_seconds(settings), within_seconds=_WITHIN_SECONDS,
    )  # fmt: skip
