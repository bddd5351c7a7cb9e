from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost(seed=1)
