"""A landing whose folder changes has two pipes for a while; nothing of either folder may be missed or half done."""

from __future__ import annotations

import dataclasses

import pytest

from driftguard.model.snowflake import Estate, Pipe
from driftguard.operations.add_pipe import AddPipe
from driftguard.operations.base import DONE, State
from driftguard.operations.columns import ColumnDef
from driftguard.operations.pipes import first
from driftguard.operations.replace_merge import Anew, ReplaceMerge
from operation_cases import ARRIVED, CASES, FED, NUMBER, PIPE, SECOND, SPEC, TASK, WITH_NEW, asleep

ADD, REPLACE = CASES["add_pipe"][0], CASES["replace_pipe"][0]
BOTH = CASES["replace_pipe"][1]


def words(operation: AddPipe | object, estate: Estate) -> list[str]:
    return [s.summary.split()[0] for s in operation.statements(estate)]  # type: ignore[attr-defined]


def having(estate: Estate, name: object, **change: object) -> Estate:
    pipes = tuple(dataclasses.replace(p, **change) if p.name == name else p for p in estate.pipes)  # type: ignore[arg-type]
    return dataclasses.replace(estate, pipes=pipes)


def test_a_paused_pipe_stays_paused_and_so_does_what_stands_for_it() -> None:
    """Somebody has paused it for a reason."""
    assert words(ADD, FED) == ["create", "load"]
    assert words(ADD, asleep(FED)) == ["create", "pause", "load"]
    assert words(REPLACE, BOTH) == ["pause", "let", "load", "drop"]
    assert words(REPLACE, asleep(BOTH)) == ["let", "pause", "load", "drop"]


def test_what_the_pipe_has_besides_its_folder_is_kept() -> None:
    """Comment, error integration, and options of the COPY that driftguard does not write itself."""
    own = having(FED, PIPE, definition=FED.pipes[0].definition + "\nON_ERROR = CONTINUE")
    for operation, estate in ((ADD, own), (REPLACE, ADD.effect(own))):
        made = next(s.sql for s in operation.statements(estate) if s.sql.startswith("CREATE"))
        assert made.endswith("\nON_ERROR = CONTINUE")
        assert "ERROR_INTEGRATION = \"on error\" COMMENT = 'it''s the shop''s' AS\n" in made
        assert "it''s old" not in made


@pytest.mark.parametrize(
    "options",
    [
        "FILE_FORMAT = (FORMAT_NAME = 'F') MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",  # of whatever schema is in use
        "MATCH_BY_COLUMN_NAME = NONE",
        "PATTERN = '.*'",
    ],
)
def test_options_that_do_not_load_what_is_needed_are_driftguards_own(options: str) -> None:
    before, _, after = FED.pipes[0].definition.partition("FILE_FORMAT")
    metadata = after[after.index("INCLUDE_METADATA") :]
    odd = having(FED, PIPE, definition=f"{before}{options} {metadata}")
    (made, *_) = ADD.statements(odd)
    assert made.sql.endswith(ADD.folder.copy)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [PIPE, SECOND])
def test_the_own_pipe_waits_until_neither_has_a_file_waiting(name: object) -> None:
    busy = REPLACE.readiness(having(BOTH, name, pending=1))
    assert busy.state is State.WAITING
    assert "1 files waiting" in busy.reason
    assert REPLACE.readiness(having(BOTH, name, pending=None)).state is State.BLOCKED


def test_the_own_pipe_is_not_replaced_before_a_second_one_reads_the_new_folder() -> None:
    assert "nothing reads" in REPLACE.readiness(FED).reason
    other = having(BOTH, SECOND, definition=FED.pipes[0].definition)
    assert "does not read" in REPLACE.readiness(other).reason
    stalled = having(BOTH, SECOND, state="STALLED_STAGE_PERMISSION_ERROR")
    assert "STALLED" in REPLACE.readiness(stalled).reason


def test_a_pipe_that_was_dropped_by_hand_is_made_and_the_second_one_goes() -> None:
    gone = dataclasses.replace(BOTH, pipes=tuple(p for p in BOTH.pipes if p.name != PIPE))
    assert words(REPLACE, gone) == ["let", "load", "drop"]
    assert REPLACE.readiness(REPLACE.effect(gone)) == DONE


def test_another_pipe_under_the_second_name_blocks_it() -> None:
    taken = dataclasses.replace(FED, pipes=(*FED.pipes, Pipe(SECOND, "COPY INTO T FROM @S/else/")))
    assert ADD.readiness(taken).state is State.BLOCKED


def test_a_marker_has_not_passed_while_the_second_pipe_has_files_waiting() -> None:
    awaiting, _ = CASES["await_marker"]
    assert awaiting.readiness(ARRIVED).state is State.READY
    two = dataclasses.replace(ARRIVED, pipes=(*ARRIVED.pipes, Pipe(SECOND, "", pending=2)))
    assert "T_PIPE__NEW has 2 files" in awaiting.readiness(two).reason


def test_both_pipes_are_paused_while_a_staging_column_is_made_anew() -> None:
    """A file that is loaded in between would lose the values of that column."""
    operation = ReplaceMerge(TASK, SPEC, anew=(Anew(ColumnDef("NEW", NUMBER), "NEW__OLD"),), pipe=PIPE)
    two = dataclasses.replace(WITH_NEW, pipes=(*ARRIVED.pipes, Pipe(SECOND, "", state="RUNNING")))
    assert [s.summary for s in operation.statements(two) if "PIPE" in s.summary] == [
        f"pause {PIPE}", f"pause {SECOND}", f"resume {PIPE}", f"resume {SECOND}",
    ]  # fmt: skip


def test_a_name_that_only_begins_alike_is_no_second_pipe() -> None:
    assert first(SECOND) == first(dataclasses.replace(SECOND, name="T_PIPE__NEW2")) == PIPE
    assert first(dataclasses.replace(SECOND, schema="FINAL")) != PIPE
    assert first(PIPE) is first(dataclasses.replace(SECOND, name="T_PIPE__NEWS")) is None
