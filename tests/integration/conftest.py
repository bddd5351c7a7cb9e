"""Real engines for the tests of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, free_port, web_config


@pytest.fixture
def port() -> int:
    """Return a free port."""
    return free_port()


@pytest.fixture
def engine(tmp_path: Path, port: int) -> Iterator[EngineProcess]:
    """Return an engine, not started, that keeps a web server running on `port`."""
    engine = EngineProcess(tmp_path, web_config(port))
    yield engine
    engine.close()


@pytest.fixture
def engine_with(tmp_path: Path) -> Iterator[Callable[[str], EngineProcess]]:
    """Return a maker of engines with a configuration of the test's own."""
    made: list[EngineProcess] = []

    def make(config: str) -> EngineProcess:
        made.append(EngineProcess(tmp_path / f"engine-{len(made)}", config))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
