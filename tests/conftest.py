"""One embedded PostgreSQL for the session; each test that needs it gets a database of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from target_schemas.postgres.database import connect
from target_schemas.postgres.server import embedded_url, stop

LONG = ("test_endings", "test_cli", "test_pipeline", "test_cuts", "test_benchmarks", "test_adding_a_system")
"""Files of tests that take long. A worker takes a whole file, so that what its tests share is made once; these come first."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(scope="session")
def server_url():
    folder = Path(tempfile.mkdtemp(prefix="hikkoshi-tests-"))
    yield embedded_url(folder, durable=False)
    stop(folder, delete=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(server_url):
    with own_database(server_url) as url:
        yield url


@contextlib.contextmanager
def own_database(server_url):
    """A database of its own for the length of a block; gives its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def engine(database_url):
    return connect(database_url)


@pytest.fixture
def data_centre(engine):
    return engine
