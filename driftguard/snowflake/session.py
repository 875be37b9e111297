"""One connection to Snowflake: how to get it, and how to run a statement on it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from driftguard.errors import ConfigError, UnreachableError
from driftguard.snowflake.errors import RETRYABLE, number, text, unreachable

if TYPE_CHECKING:
    from driftguard.config import Config

# Names as Snowflake's own CLI reads them; the connector itself reads none of these.
# Source: snowflake-cli, configuration sources.
ENVIRONMENT = {
    "SNOWFLAKE_ACCOUNT": "account",
    "SNOWFLAKE_HOST": "host",
    "SNOWFLAKE_PORT": "port",
    "SNOWFLAKE_PROTOCOL": "protocol",
    "SNOWFLAKE_USER": "user",
    "SNOWFLAKE_PASSWORD": "password",
    "SNOWFLAKE_ROLE": "role",
    "SNOWFLAKE_WAREHOUSE": "warehouse",
    "SNOWFLAKE_DATABASE": "database",
    "SNOWFLAKE_SCHEMA": "schema",
    "SNOWFLAKE_AUTHENTICATOR": "authenticator",
    "SNOWFLAKE_PRIVATE_KEY_FILE": "private_key_file",
    "SNOWFLAKE_PRIVATE_KEY_PATH": "private_key_file",
    "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "private_key_file_pwd",
    "SNOWFLAKE_TOKEN": "token",
    "SNOWFLAKE_TOKEN_FILE_PATH": "token_file_path",
    "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "workload_identity_provider",
}

# UTC so that nothing that driftguard reads depends on the account's time zone; a lock is waited for ten minutes and not
# for Snowflake's twelve hours.
SESSION_PARAMETERS: Mapping[str, str | int] = {
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "LOCK_TIMEOUT": 600,
    "QUERY_TAG": "driftguard",
}

# The connector asks the metadata services of three clouds at each login, for up to 0.2 s, to tell Snowflake where it
# runs; nothing else rests on the answer. Source: snowflake-connector-python, platform_detection.py.
_CONNECTOR: Mapping[str, Any] = {"platform_detection_timeout_seconds": 0.0}


def configured(config: Config, environ: Mapping[str, str] | None = None) -> bool:
    """Is there a connection, in the file or in the environment?"""
    environ = os.environ if environ is None else environ
    return bool(config.settings.snowflake.connection or environ.get("SNOWFLAKE_ACCOUNT"))


def connect_arguments(config: Config, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Arguments for `snowflake.connector.connect`.

    With SNOWFLAKE_ACCOUNT set, the SNOWFLAKE_* variables; else the connection that driftguard.toml names. One that
    names its connections_file too is always taken from there: that is how a sandbox stays a sandbox.
    Key pair, personal access token, OAuth and workload identity (OIDC) need nothing but their usual settings.
    Raises `ConfigError` where no connection is configured.
    """
    environ = os.environ if environ is None else environ
    section = config.settings.snowflake
    arguments: dict[str, Any] = {}
    if section.connection and (section.connections_file or not environ.get("SNOWFLAKE_ACCOUNT")):
        arguments["connection_name"] = section.connection
        if section.connections_file:
            path = config.path(section.connections_file)
            if not path.is_file():
                raise ConfigError(f"{config.file}: snowflake.connections_file: no such file: {path}")
            arguments["connections_file_path"] = Path(path)
    else:
        for variable, key in ENVIRONMENT.items():
            if environ.get(variable):
                arguments[key] = environ[variable]
        if "account" not in arguments:
            raise ConfigError(
                f"{config.file}: no Snowflake connection",
                hint="set [snowflake] connection to a name in connections.toml, or the SNOWFLAKE_* variables",
            )
        _complete(arguments)
    for key in ("warehouse", "role"):
        value = getattr(section, key)
        if value:
            arguments[key] = value
    return arguments


def _complete(arguments: dict[str, Any]) -> None:
    """Fill in the authenticator that the given credentials can only mean."""
    if "authenticator" in arguments:
        return
    if "workload_identity_provider" in arguments:
        arguments["authenticator"] = "WORKLOAD_IDENTITY"
    elif "private_key_file" in arguments:
        arguments["authenticator"] = "SNOWFLAKE_JWT"
    elif "token" in arguments or "token_file_path" in arguments:
        arguments["authenticator"] = "PROGRAMMATIC_ACCESS_TOKEN"


class Session:
    """A connection that belongs to one thread: threads on one connection would share its transaction."""

    def __init__(self, connection: Any, where: str) -> None:
        self.connection = connection
        self.where = where

    @classmethod
    def open(
        cls,
        config: Config,
        *,
        query_tag: str = "driftguard",
        parameters: Mapping[str, str | int] | None = None,
        network_timeout: int | None = None,
    ) -> Session:
        """Connect; `parameters` are the session's, over those of every session.

        After `network_timeout` seconds the connector cancels a statement, and no longer repeats a request; without it,
        never. Raises `ConfigError` or `UnreachableError`, one line each.
        """
        arguments = connect_arguments(config)
        where = str(arguments.get("connection_name") or arguments.get("account"))
        return cls.connect(
            arguments, where, parameters={"QUERY_TAG": query_tag, **(parameters or {})}, network_timeout=network_timeout
        )

    @classmethod
    def connect(
        cls,
        arguments: Mapping[str, Any],
        where: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        network_timeout: int | None = None,
    ) -> Session:
        """Connect with the connector's own arguments."""
        import snowflake.connector
        from snowflake.connector.errors import Error

        try:
            connection = snowflake.connector.connect(
                **{**_CONNECTOR, **arguments},
                **({"network_timeout": network_timeout} if network_timeout else {}),
                session_parameters={**SESSION_PARAMETERS, **(parameters or {})},
                login_timeout=30,
                client_session_keep_alive=False,
                application="driftguard",
            )
        except Error as error:
            if type(error).__name__.startswith(("Config", "MissingConfig")) or "connection_name" in text(error):
                hint = "look at connections.toml, and at [snowflake] connection"
                raise ConfigError(f"Snowflake ({where}): {text(error)}", hint=hint) from None
            raise unreachable(error, where) from None
        except OSError as error:
            raise UnreachableError(f"Snowflake ({where}): {error}") from None
        return cls(connection, where)

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a query and return its rows as dictionaries, column names in upper case. A read may be tried again."""
        retrying = Retrying(
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=0.5, max=5),
            retry=retry_if_exception(lambda error: number(error) in RETRYABLE),
            reraise=True,
        )
        rows: list[dict[str, Any]] = retrying(self._rows, sql, parameters)
        return rows

    def _rows(self, sql: str, parameters: Any) -> list[dict[str, Any]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            names = [column[0].upper() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str, parameters: Any = None, *, tag: str | None = None) -> int:
        """Run a statement once and return its row count; `tag` becomes its QUERY_TAG. Connector errors pass through."""
        with self.connection.cursor() as cursor:
            extra = {"_statement_params": {"QUERY_TAG": tag}} if tag else {}
            cursor.execute(sql, parameters, **extra)
            return int(cursor.rowcount or 0)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
