"""No message holds a secret, and every expected error has its exit code."""

from __future__ import annotations

import pytest

from driftguard import errors
from driftguard.errors import DriftguardError, ExitCode, redact

SECRET = "hunter2Xy"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://reader:{SECRET}@db.example:5432/shop",
        f"postgres://reader:{SECRET}@db.example/shop?sslmode=require",
        f"cannot connect to POSTGRESQL://r:{SECRET}@h/d: refused",
        f"host=db user=reader password={SECRET} dbname=shop",
        f"host=db password='{SECRET}' dbname=shop",
        f"host=db password = '{SECRET}' dbname=shop",
        f"host=db password='two words {SECRET}' dbname=shop",
        f"host=db password='it\\'s {SECRET}' dbname=shop",
        f"host=db password='{SECRET}",
        f"{{'user': 'x', 'password': '{SECRET}', 'role': 'r'}}",
        f'{{"password": "{SECRET}"}}',
        f"PGPASSWORD={SECRET} psql",
        f"SNOWFLAKE_PASSWORD={SECRET}",
        f"token={SECRET}",
        f"token: {SECRET}",
        f"SNOWFLAKE_TOKEN={SECRET}",
        f"access_token={SECRET}&x=1",
        f"private_key_file_pwd={SECRET}",
        f"private_key_passphrase: {SECRET}",
        f"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE={SECRET}",
        f"secret={SECRET}",
        f"aws_secret_access_key={SECRET}",
        f"https://user:{SECRET}@account.snowflakecomputing.com/",
        f"Authorization: Bearer {SECRET}",
        f'Authorization: Snowflake Token="{SECRET}"',
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert SECRET not in redact(text)
    assert "***" in redact(text)
    assert SECRET not in str(DriftguardError(text, hint=text))
    assert SECRET not in repr(DriftguardError(text, hint=text))


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://reader@db.example:5432/shop",
        "no such column passwords",
        "the table shop.tokens has no primary key",
        "shop.users.password is not in the files",
        "shop.orders: 12:30 is later than 11:00",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_the_rest_of_a_message_stays_readable() -> None:
    masked = redact(f"cannot connect to postgresql://reader:{SECRET}@db:5432/shop: refused")
    assert masked == "cannot connect to postgresql://reader:***@db:5432/shop: refused"


def test_a_hint_stands_on_the_same_line() -> None:
    assert str(DriftguardError("it is wrong", hint="do this")) == "it is wrong: do this"
    assert str(DriftguardError("it is wrong")) == "it is wrong"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError, 2),
        (errors.UsageError, 2),
        (errors.MappingError, 2),
        (errors.NoConfigError, 2),
        (errors.SnapshotError, 2),
        (errors.TypeMapError, 2),
        (errors.MigrationError, 2),
        (errors.RevisionError, 2),
        (errors.PlanError, 2),
        (errors.UnreachableError, 3),
        (errors.LeaseHeldError, 3),
        (errors.HazardError, 1),
        (errors.HalfwayError, 4),
    ],
)
def test_exit_codes(error: type[DriftguardError], code: int) -> None:
    assert error("x").exit_code == code
    assert ExitCode(code)


def test_every_error_is_listed_above() -> None:
    kinds = {v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, DriftguardError)}
    assert len(kinds - {DriftguardError}) == 13
