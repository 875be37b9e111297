"""All kinds of operations: importing this registers them."""

from __future__ import annotations

from driftguard.operations import (
    add_columns,
    add_pipe,
    await_marker,
    backfill,
    change_consumption,
    complete_change,
    copy_rows,
    create_landing,
    drop_columns,
    drop_not_null,
    manual,
    read_again,
    read_records,
    rekey_final,
    replace_merge,
    replace_pipe,
    rewrite_merge,
    take_over,
    widen_column,
)
from driftguard.operations.base import Operation

_MODULES = (
    add_columns,
    add_pipe,
    await_marker,
    backfill,
    change_consumption,
    complete_change,
    copy_rows,
    create_landing,
    drop_columns,
    drop_not_null,
    manual,
    read_again,
    read_records,
    rekey_final,
    replace_merge,
    replace_pipe,
    rewrite_merge,
    take_over,
    widen_column,
)

KINDS: dict[str, type[Operation]] = Operation.registry
