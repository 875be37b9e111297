"""Fixtures that several rooms share: one real PostgreSQL server for a test session, one database for a test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.aurora.embedded import EmbeddedPostgres

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL with logical WAL, gone after the session."""
    place = Path(tempfile.mkdtemp(prefix="driftguard-tests-"))
    if os.geteuid() == 0:
        place.chmod(0o711)  # under root the server runs as nobody, who has to pass through
    server = EmbeddedPostgres.start(place / "postgres", logical_wal=True)
    try:
        yield server
    finally:
        server.remove()
        place.rmdir()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database of its own."""
    name = f"test_{next(_NUMBERS)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)
