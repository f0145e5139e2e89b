"""A data centre, installed."""

from __future__ import annotations

import pytest

from target_schemas.postgres import installation
from target_schemas.systems import SYSTEMS


@pytest.fixture
def prepared(engine):
    for code in ("990027", "990035"):
        installation.install(engine, SYSTEMS, code)
    return engine
