"""Databases on every major version of PostgreSQL that can be had here."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from driftguard.aurora.embedded import EmbeddedPostgres

_NUMBERS = itertools.count(1)
RICH = Path(__file__).with_name("rich.sql")


@pytest.fixture(scope="session")
def postgres_16() -> Iterator[EmbeddedPostgres]:
    """An older major version, because catalogs and dumps come from servers of any age."""
    place = Path(tempfile.mkdtemp(prefix="driftguard-tests-16-"))
    if os.geteuid() == 0:
        place.chmod(0o711)
    server = EmbeddedPostgres.start(place / "postgres", major=16)
    try:
        yield server
    finally:
        server.remove()
        place.rmdir()


@pytest.fixture(params=[16, 18])
def any_postgres(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    """Each major version in turn."""
    return request.getfixturevalue("postgres_16" if request.param == 16 else "postgres")


@pytest.fixture
def any_database(any_postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database on each major version in turn."""
    name = f"any_{next(_NUMBERS)}"
    yield any_postgres.create_database(name)
    any_postgres.drop_database(name)


@pytest.fixture
def rich(any_database: str) -> str:
    """The URL of a database that holds rich.sql."""
    with psycopg.connect(any_database, autocommit=True) as conn:
        conn.execute(RICH.read_bytes())
    return any_database
