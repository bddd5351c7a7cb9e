from __future__ import annotations

import pytest

from tests.support.simulated_host import SimulatedHost


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost(seed=1)
