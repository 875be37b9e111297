"""All kinds of operations: importing this registers them."""

from __future__ import annotations

from driftguard.operations import add_columns, create_landing, drop_not_null, manual, replace_merge, widen_column
from driftguard.operations.base import Operation

_MODULES = (add_columns, create_landing, drop_not_null, manual, replace_merge, widen_column)

KINDS: dict[str, type[Operation]] = Operation.registry
