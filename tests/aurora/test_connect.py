"""A connection that cannot be made is one line that says what to do, and never holds the password."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import psycopg
import pytest

from driftguard.aurora.connect import connect
from driftguard.errors import ConfigError, DriftguardError, UnreachableError

SECRET = "s3cr3t-Pa55"


def failing(url: str | None, timeout: int = 3) -> DriftguardError:
    with pytest.raises(DriftguardError) as caught:
        connect(url, timeout=timeout)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)
    assert "\n" not in str(caught.value)
    return caught.value


def test_transactions_are_read_only_unless_asked_otherwise(database: str) -> None:
    with connect(database) as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        conn.execute("CREATE TABLE t ()")
    with connect(database, read_only=False) as conn:
        conn.execute("CREATE TABLE t ()")


def test_the_server_sees_who_is_connected(database: str) -> None:
    with connect(database, application_name="driftguard check") as conn:
        assert conn.execute("SHOW application_name").fetchone() == ("driftguard check",)


def test_without_a_url_the_pg_variables_decide(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(database)
    monkeypatch.setenv("PGHOST", str(parts.hostname))
    monkeypatch.setenv("PGPORT", str(parts.port))
    monkeypatch.setenv("PGUSER", str(parts.username))
    monkeypatch.setenv("PGPASSWORD", str(parts.password))
    monkeypatch.setenv("PGDATABASE", parts.path[1:])
    with connect(None) as conn:
        assert conn.info.dbname == parts.path[1:]
    monkeypatch.setenv("PGSERVICE", "nowhere")
    assert isinstance(failing(None), DriftguardError)


def test_a_wrong_password(database: str) -> None:
    parts = urlsplit(database)
    error = failing(f"postgresql://{parts.username}:{SECRET}@{parts.hostname}:{parts.port}{parts.path}")
    assert isinstance(error, UnreachableError)
    assert "password authentication failed" in str(error)
    assert "check the user and password" in str(error)


def test_a_database_that_does_not_exist(database: str) -> None:
    error = failing(database.rsplit("/", 1)[0] + "/nope")
    assert isinstance(error, UnreachableError)
    assert 'database "nope" does not exist' in str(error)


def test_a_port_where_nothing_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = failing(f"postgresql://u:{SECRET}@127.0.0.1:{port}/db")
    assert isinstance(error, UnreachableError)
    assert "Connection refused" in str(error)


def test_a_host_that_does_not_exist() -> None:
    error = failing(f"postgresql://u:{SECRET}@no-such-host.invalid/db")
    assert isinstance(error, UnreachableError)
    assert "check the host name" in str(error)


def test_a_server_that_never_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = failing(f"postgresql://u:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/db", timeout=2)
    assert isinstance(error, UnreachableError)
    assert "timeout" in str(error)


def test_a_server_without_ssl_when_ssl_is_required(database: str) -> None:
    error = failing(f"{database}?sslmode=require")
    assert isinstance(error, UnreachableError)
    assert "the server has no SSL" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"postgresql://u:{SECRET}/x@host/db",
        f"postgresql://u:x@{SECRET}@host/db",
        f"postgresql://u:{SECRET}%zz@host/db",
        f"postgresql+psycopg://u:{SECRET}@host/db",
        f"mysql://u:{SECRET}@host/db",
        f"postgresql://u:{SECRET}@host/db?nonsense=1",
        SECRET,
        f"host=x password='{SECRET}",
    ],
)
def test_a_malformed_url_is_a_configuration_error(url: str) -> None:
    assert isinstance(failing(url), ConfigError)
