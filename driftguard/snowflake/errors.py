"""Snowflake's error numbers, put into the few classes that driftguard acts on.

Numbers are taken from `exc.errno`, never from the text. Source of each: docs.snowflake.com where it prints one, and the
error tables of snowflake-connector-python; those that no document gives are marked "practice".
"""

from __future__ import annotations

import re

from driftguard.errors import UnreachableError

MISSING_OR_NOT_AUTHORIZED = frozenset({2003, 2043})  # "does not exist or not authorized": cannot tell which
NO_PRIVILEGE = frozenset({3001, 3013, 3041})
TOO_MUCH_DATA = "Information schema query returned too much data"
RETRYABLE = frozenset({250001, 250003, 290500, 390112, 390114, 604, 625})  # network, session expired; 604, 625 practice
# The request failed, or the session is gone: no answer says what became of the statement.
# Source: errorcode.py and network.py of snowflake-connector-python (290000 + HTTP status).
LOST = frozenset({250001, 250002, 250003, 251011, 251012, 252008, 390104, 390111, 390112, 390114})
NO_WAREHOUSE = frozenset({606})
LOGIN = frozenset({390100, 390144, 390186, 390303, 390318, *range(394300, 394307), 251005, 251008, 251017, 251018})

_LAYOUT = re.compile(r"^\s*(?:\d{6} \([0-9A-Z]{5}\):\s*)?(?:[0-9a-f-]{36}:\s*)?")


def number(error: BaseException) -> int:
    """`errno` of a connector error; -1 where there is none."""
    value = getattr(error, "errno", None)
    return value if isinstance(value, int) else -1


def connection_lost(error: BaseException) -> bool:
    """Did the connection break, so that a statement may have run or not?"""
    code = number(error)
    return code in LOST or 290_000 <= code < 291_000


def text(error: BaseException) -> str:
    """The message on one line, without number, state and query id, which 4.x and 5.x lay out differently."""
    raw = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    line = " ".join(raw.split())
    line = re.sub(r"\s*\(request_id=.*?\)$", "", line)
    return _LAYOUT.sub("", line).strip()


def unreachable(error: BaseException, where: str) -> UnreachableError:
    """A connector error as one line for a person."""
    code = number(error)
    if code in LOGIN or "Incorrect username or password" in text(error):
        hint = "check user, key or token of this connection"
    elif code in NO_WAREHOUSE:
        hint = "name a warehouse in [snowflake] warehouse or in the connection"
    elif code in NO_PRIVILEGE or code in MISSING_OR_NOT_AUTHORIZED:
        hint = "the role may not see it; docs/grants.md lists what each command needs"
    else:
        hint = "check account, network and the connection's settings"
    suffix = f" [{code:06d}]" if code > 0 else ""
    return UnreachableError(f"Snowflake ({where}): {text(error)}{suffix}", hint=hint)
