"""What a probe has found out about one account: snowflake-capabilities.toml, written and read."""

from __future__ import annotations

import enum
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from driftguard.errors import ConfigError, UsageError


class Answer(enum.StrEnum):
    YES = "yes"
    NO = "no"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Capability:
    """One question, its answer, the statement that settled it, and the error number where it was refused."""

    key: str
    what: str
    answer: Answer
    statement: str = ""
    error: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The file: which account, when, and every answer."""

    account: str
    probed_at: str  # ISO 8601, UTC
    items: tuple[Capability, ...]

    @property
    def age_days(self) -> float:
        return (datetime.now(UTC) - datetime.fromisoformat(self.probed_at)).total_seconds() / 86_400

    def summary(self) -> str:
        """One line for a person."""
        known = sum(item.answer is not Answer.NOT_TRIED for item in self.items)
        rest = len(self.items) - known
        return f"probed on {self.account} {self.age_days:.0f} days ago: {known} answers known, {rest} not tried"

    def document(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "probed_at": self.probed_at,
            "answers": {item.key: item.answer.value for item in self.items},
        }


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Strict):
    what: str
    answer: Answer
    statement: str = ""
    error: int = 0
    note: str = ""


class _File(_Strict):
    account: str
    probed_at: datetime
    capability: dict[str, _Entry]


def read(path: Path) -> Capabilities | None:
    """The file; None where there is none. Raises `ConfigError` for one that is not as `write` makes it."""
    hint = "let `driftguard probe --snowflake` write it anew"
    try:
        found = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}", hint=hint) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}", hint=hint) from None
    when = found.probed_at if found.probed_at.tzinfo else found.probed_at.replace(tzinfo=UTC)
    items = (Capability(k, e.what, e.answer, e.statement, e.error, e.note) for k, e in found.capability.items())
    return Capabilities(found.account, when.isoformat(timespec="seconds"), tuple(items))


def text(found: Capabilities) -> str:
    """The file's text."""
    lines = ["# Written by `driftguard probe --snowflake`.", f"account = {_quoted(found.account)}"]
    lines.append(f"probed_at = {found.probed_at}")
    for item in found.items:
        values: Sequence[tuple[str, str | int]] = (
            ("what", item.what),
            ("answer", item.answer.value),
            ("statement", item.statement),
            ("error", item.error),
            ("note", item.note),
        )
        lines += ["", f"[capability.{item.key}]"]
        lines += [f"{key} = {value if isinstance(value, int) else _quoted(value)}" for key, value in values if value]
    return "\n".join(lines) + "\n"


def write(path: Path, found: Capabilities) -> None:
    """Write the file, whole or not at all. Raises `UsageError`."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text(found), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name another in [snowflake] capabilities") from None


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
