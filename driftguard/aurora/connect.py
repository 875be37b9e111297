"""A connection to Aurora (or any PostgreSQL), and its errors as one line a person can act on."""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from driftguard.errors import ConfigError, UnreachableError, redact

_SCHEMES = ("postgresql://", "postgres://")
_HINT_URL: Final = (
    "write postgresql://user@host:5432/database, the password in PGPASSWORD or, percent-encoded, behind user:"
)

# What libpq and the server say (in English, whatever the locale of the server: libpq's own texts are not translated
# in psycopg's binary wheel), and what to do about it. The first that fits is taken.
_HINTS: Final = (
    (r"could not translate host name|Name or service not known|failed to resolve host", "check the host name"),
    (r"password authentication failed|no password supplied|PAM authentication failed", "check the user and password"),
    (r"database .* does not exist", "check the database name in the URL"),
    (r"role .* does not exist", "check the user in the URL"),
    (r"no pg_hba\.conf entry.*(no encryption|SSL off)", "the server wants SSL: add sslmode=require to the URL"),
    (r"no pg_hba\.conf entry", "the server does not let this user in from this address: check pg_hba.conf"),
    (r"does not support SSL", "the server has no SSL: check sslmode in the URL"),
    (r"certificate|SSL", "check sslmode and sslrootcert; for RDS and Aurora use the RDS CA bundle"),
    (r"timeout expired|timed out", "check the network, the security group and the port"),
    (r"Connection refused", "check the host and the port, and that the server is running"),
    (r"definition of service|service file", "check PGSERVICE and the service file"),
    (r"too many (clients|connections)|remaining connection slots", "try again when fewer sessions are open"),
    (r"permission denied for database", "grant CONNECT on the database to this user"),
)


def connect(
    url: str | None, *, application_name: str = "driftguard", timeout: int = 10, read_only: bool = True
) -> psycopg.Connection:
    """An open connection; its transactions are read-only unless `read_only` is False.

    `url` is a URL or a `key=value` string; with None the PG* variables, the service file and the password file
    decide, as for every libpq program. `timeout` is in seconds, for the connection alone.
    Raises ConfigError for a malformed URL and UnreachableError for a server that is not there or refuses. Neither
    message ever holds the password.
    """
    options: dict[str, object] = {}
    if url is not None:
        options = dict(_parse(url))
    options["application_name"] = application_name
    options["connect_timeout"] = str(timeout)
    try:
        connection = psycopg.connect("", **options)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise _unreachable(error, options) from None
    except psycopg.ProgrammingError:
        # Only the PG* variables are left to be wrong here, and libpq's text may quote them.
        raise ConfigError("the PG* variables or the service file are not valid connection settings") from None
    connection.read_only = read_only
    return connection


def one_line(error: psycopg.Error) -> str:
    """The server's own message without its context, on one line and without secrets."""
    text = error.diag.message_primary or str(error)
    return redact(" ".join(text.split()))


def _parse(url: str) -> dict[str, str]:
    if not url.strip():
        raise ConfigError("the Aurora URL is empty", hint=_HINT_URL)
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://", url)
    if scheme and scheme[0] not in _SCHEMES:
        raise ConfigError(f"the Aurora URL begins with {scheme[0]}, not with postgresql://", hint=_HINT_URL)
    if scheme:
        # libpq cuts a password with a bare `/` or `@` in two, and would show its second half as a host or a database.
        address = url[scheme.end() :].partition("?")[0]
        authority, _, path = address.partition("/")
        if "@" in path or authority.count("@") > 1:
            raise ConfigError("the Aurora URL has a bare / or @ in its user or password", hint=_HINT_URL)
    try:
        settings = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's text quotes a part of the URL, which may be a part of the password.
        raise ConfigError("the Aurora URL is malformed", hint=_HINT_URL) from None
    return {key: str(value) for key, value in settings.items() if value is not None}


def _unreachable(error: psycopg.OperationalError, options: dict[str, object]) -> UnreachableError:
    text = one_line(error)
    text = re.sub(r"^connection failed: ", "", text)
    password = str(options.get("password") or "")
    if password:
        text = text.replace(password, "***")
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, text)), "")
    return UnreachableError(f"cannot connect to {_where(options)}: {text}", hint=hint)


def _where(options: dict[str, object]) -> str:
    host, name = options.get("host"), options.get("dbname")
    if not host:
        return "PostgreSQL"
    return f"{host}/{name}" if name else str(host)
