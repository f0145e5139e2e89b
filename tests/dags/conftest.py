"""Whoever opens a gate in these tests counts in the tests' own process, which imports Great Expectations once."""

from __future__ import annotations

import contextlib

import pytest

from validators import gate, suites


@contextlib.contextmanager
def _loaded():
    suites.load()
    yield suites.evaluate


@pytest.fixture(scope="module", autouse=True)
def one_import():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "apart", _loaded)
        yield
