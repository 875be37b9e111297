"""What the AWS documentation leaves open, as switches. Code behind the pipeline must hold for every setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Switches:
    """How the stand-in behaves where no document of AWS says how DMS does."""

    unchanged_toast: Literal["null", "looked_up"] = "null"
    """An UPDATE leaves a large value alone, so it is not in the WAL. `null`: the cell is NULL (what users report).
    `looked_up`: LOB columns carry the value that the source row holds when the change is read ("Table and collection
    settings", LOB lookup in CDC), NULL if the row is gone."""

    key_update: Literal["ignored", "update_with_new_key", "update_with_before_image"] = "update_with_before_image"
    """An UPDATE changes the primary key. `ignored`: no row at all ("Using a PostgreSQL database as a source",
    limitations: updates of a primary key segment are ignored). `update_with_new_key`: a U row with the new key, whose
    before-image columns, if the mappings add any, hold the new key too. `update_with_before_image`: they hold the old
    key ("Transformation rules", example "Add a before image column")."""

    cdc_boolean_text: Literal["true", "t"] = "true"
    """Booleans in CDC files where MapBooleanAsBoolean is off: `true`/`false` as in full load, or PostgreSQL's t/f."""

    cut_file_at_ddl: bool = True
    """A DDL ends the file of its table; otherwise the file goes on with the columns of both shapes, as long as no
    column changes its type."""

    delete_row: Literal["full_row", "key_only"] = "full_row"
    """A D row carries all that the WAL holds (the replica identity: the key, or every column if it is FULL), or
    the primary key only."""

    timestamp_adjusted_to_utc: bool = False
    """The Parquet annotation TIMESTAMP(isAdjustedToUTC) of timestamp and timestamptz columns alike."""

    partitioned_parent: Literal["not_loaded", "loaded"] = "not_loaded"
    """Full load of a partitioned table itself, beside its partitions, which DMS reports as tables of their own."""

    primary_key_change: Literal["stops_the_table", "followed"] = "stops_the_table"
    """The primary key is redefined while the task runs. "Using a PostgreSQL database as a source", limitations:
    "subsequent changes to affected tables are not replicated"; a reload takes them up again."""

    full_load_sequence: Literal["null", "load_time"] = "null"
    """`$AR_H_CHANGE_SEQ` of a full-load row: NULL, or the time of its load and a number of zeros."""
