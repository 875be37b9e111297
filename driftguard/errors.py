"""Every error that a person is shown, and the exit code each one ends with.

A message is one line: what is wrong, where, and what to do about it. Anything that is not a
`DriftguardError` is a defect of driftguard and keeps its traceback.
"""

from __future__ import annotations

import enum
import re


class ExitCode(enum.IntEnum):
    """What the process tells its caller (docs/cli.md, "Exit codes")."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREACHABLE = 3
    HALFWAY = 4


class DriftguardError(Exception):
    """Base of all expected errors. `hint` is what to do next; it is printed on the same line."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(redact(message))
        self.hint = redact(hint)

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}: {self.hint}" if self.hint else message


class ConfigError(DriftguardError):
    """driftguard.toml, an environment variable or a file it names is missing or wrong."""


class NoConfigError(ConfigError):
    """There is no driftguard.toml, and none was named."""


class UsageError(DriftguardError):
    """The command line asks for something that cannot be done as asked."""


class MappingError(ConfigError):
    """DMS table mappings that are not what the DMS documentation allows."""


class SnapshotError(ConfigError):
    """A snapshot file that cannot be read, or is not a snapshot."""


class TypeMapError(ConfigError):
    """A type map row that cannot be used."""


class MigrationError(DriftguardError):
    """An Aurora migration that does not run on the shadow database."""


class RevisionError(DriftguardError):
    """A driftguard revision file that is not one, or was edited after it was applied."""


class PlanError(DriftguardError):
    """A plan that cannot be made or no longer fits what is there."""


class UnreachableError(DriftguardError):
    """A system cannot be reached, or refuses: network, credentials, grants."""

    exit_code = ExitCode.UNREACHABLE


class LeaseHeldError(UnreachableError):
    """Another apply holds the lease."""


class HazardError(DriftguardError):
    """A plan needs a person's word first; the message carries the flag to give it."""

    exit_code = ExitCode.FINDINGS


class HalfwayError(DriftguardError):
    """An apply stopped after it had begun. The next apply goes on from there."""

    exit_code = ExitCode.HALFWAY


_SECRETS = (
    # postgresql://user:secret@host, also percent-encoded
    re.compile(r"(?P<keep>[a-z][a-z0-9+.\-]*://[^\s:/@]*:)[^\s@]+(?=@)", re.IGNORECASE),
    # password=secret, PGPASSWORD=secret, 'access_token': 'secret', in DSNs, options and dumped dictionaries
    re.compile(
        r"(?P<keep>\b\w*(?:password|passwd|pwd|passphrase|token|secret|private_key)\w*['\"]?\s*[=:]\s*)"
        r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|['\"]?[^\s'\",&;]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<keep>\bBearer\s+)[^\s'\",;]+", re.IGNORECASE),
)


def redact(text: str) -> str:
    """`text` with passwords, tokens and keys replaced by `***`. The one place where secrets are masked."""
    for pattern in _SECRETS:
        text = pattern.sub(r"\g<keep>***", text)
    return text
