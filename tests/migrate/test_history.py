"""Two branches of revisions: what is written onto which, what comes before what, and what a target means."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from driftguard.errors import RevisionError
from driftguard.migrate.history import back_to, current, heads, read_all, up_to
from driftguard.migrate.revision import Revision
from driftguard.migrate.writing import write, write_merges
from driftguard.operations.add_columns import AddColumns
from driftguard.operations.columns import ColumnDef
from driftguard.operations.drop_columns import DropColumns
from operation_cases import FINAL, TEXT


def add(name: str) -> AddColumns:
    return AddColumns(FINAL, (ColumnDef(name, TEXT),))


def drop(name: str) -> DropColumns:
    return DropColumns(FINAL, (name,))


def at(minute: int) -> datetime:
    return datetime(2026, 1, 1, 12, minute, tzinfo=UTC)


def side_by_side(folder: Path, revision: Revision, identifier: str) -> None:
    """The same revision under another id, as a second pull request brings it."""
    text = revision.path.read_text().replace(revision.id, identifier)
    revision.path.with_name(f"{revision.path.stem}_{identifier}.py").write_text(text)


def test_a_plan_becomes_one_revision_a_branch_and_the_later_one_depends_on_the_first(
    tmp_path: Path, later: SimpleNamespace
) -> None:
    waits, fill = later.Await(FINAL, "M"), later.Fill(FINAL, (ColumnDef("F", TEXT),))
    expand, contract = write(tmp_path, "change", (drop("OLD"), waits, add("NEW"), fill))
    assert expand.operations == (add("NEW"),)
    assert contract.operations == (waits, fill, drop("OLD"))  # settle, then contract
    assert (expand.labels, contract.labels) == (("expand",), ("contract",))
    assert (contract.down, contract.depends) == ((), (expand.id,))
    assert (expand.branch, contract.branch) == ("expand", "contract")
    assert contract.path.name.endswith("_change_contract.py")


def test_a_revision_without_a_message_is_called_by_what_it_does_itself(tmp_path: Path) -> None:
    expand, contract = write(tmp_path, "", (drop("OLD"), add("NEW"), add("NEWER")))
    assert expand.message == f"{add('NEW').summary()} and 1 more"
    assert contract.message == drop("OLD").summary()


def test_the_next_plan_follows_each_branch_and_only_the_first_of_a_branch_has_its_label(tmp_path: Path) -> None:
    one, one_later = write(tmp_path, "one", (add("A"), drop("X")), now=at(1))
    (two,) = write(tmp_path, "two", (add("B"),), now=at(2))
    three, three_later = write(tmp_path, "three", (add("C"), drop("Y")), now=at(3))
    assert (two.down, three.down) == ((one.id,), (two.id,))
    assert (three_later.down, three_later.depends) == ((one_later.id,), (three.id,))
    assert two.labels == three.labels == three_later.labels == ()
    found = read_all(tmp_path)
    assert [r.id for r in found] == [one.id, one_later.id, two.id, three.id, three_later.id]
    assert [r.branch for r in found] == ["expand", "contract", "expand", "expand", "contract"]


def test_what_is_left_for_later_depends_on_all_that_came_before(tmp_path: Path) -> None:
    """A plan with nothing to expand stands on everything that the estate was planned with."""
    one, _ = write(tmp_path, "one", (add("A"), drop("X")), now=at(1))
    (alone,) = write(tmp_path, "leftovers", (drop("Y"),), now=at(2))
    assert (alone.branch, alone.depends) == ("contract", (one.id,))


def test_a_history_without_labels_is_the_expand_branch(tmp_path: Path) -> None:
    (old,) = write(tmp_path, "old", (add("A"),), now=at(1))
    old.path.write_text(old.path.read_text().replace("branch_labels = ('expand',)", "branch_labels = None"))
    (before,) = read_all(tmp_path)
    assert (before.branch, before.labels) == ("expand", ())
    expand, contract = write(tmp_path, "new", (add("B"), drop("X")), now=at(2))
    assert (expand.down, expand.labels) == ((old.id,), ("expand",))
    assert (contract.down, contract.labels) == ((), ("contract",))
    found = read_all(tmp_path)
    assert {r.id for r in up_to(found, "expand@head")} == {old.id, expand.id}


def test_revisions_of_two_pull_requests_are_merged_a_branch_each(tmp_path: Path) -> None:
    write(tmp_path, "base", (add("A"),), now=at(1))
    expand, contract = write(tmp_path, "one", (add("B"), drop("X")), now=at(2))
    side_by_side(tmp_path, expand, "feedfeedfeed")
    side_by_side(tmp_path, contract, "deaddeaddead")
    merged = write_merges(tmp_path, now=at(3))
    assert [r.branch for r in merged] == ["expand", "contract"]
    assert [set(r.down) for r in merged] == [{expand.id, "feedfeedfeed"}, {contract.id, "deaddeaddead"}]
    assert all(r.operations == () for r in merged)
    found = read_all(tmp_path)
    assert (heads(found, "expand"), heads(found, "contract")) == ((merged[0].id,), (merged[1].id,))
    assert write_merges(tmp_path) == ()


def test_two_pull_requests_that_both_begin_a_branch_are_read_and_the_merge_leaves_one_label(tmp_path: Path) -> None:
    """Alembic refuses to read a folder with one label twice."""
    (first,) = write(tmp_path, "one", (add("A"),), now=at(1))
    side_by_side(tmp_path, first, "feedfeedfeed")
    assert [r.labels for r in read_all(tmp_path)] == [("expand",), ("expand",)]
    write_merges(tmp_path, now=at(2))
    assert [r.labels for r in read_all(tmp_path)] == [("expand",), (), ()]
    assert [r.digest for r in read_all(tmp_path)][:2] == [first.digest, first.digest]


STOCK = """\"\"\"merge of two

Revision ID: cafecafecafe
\"\"\"
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = 'cafecafecafe'
down_revision: Union[str, Sequence[str], None] = ('{one}', '{two}')
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    \"\"\"Upgrade schema.\"\"\"
    pass


def downgrade() -> None:
    \"\"\"Downgrade schema.\"\"\"
    pass
"""


def test_what_alembic_merge_writes_from_its_own_template_is_read(tmp_path: Path) -> None:
    (first,) = write(tmp_path, "one", (add("A"),), now=at(1))
    side_by_side(tmp_path, first, "feedfeedfeed")
    first.path.with_name("merge.py").write_text(STOCK.format(one=first.id, two="feedfeedfeed"))
    merged = read_all(tmp_path)[-1]
    assert (merged.id, set(merged.down), merged.operations) == ("cafecafecafe", {first.id, "feedfeedfeed"}, ())


def test_a_second_file_that_cannot_be_written_takes_the_first_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import driftguard.migrate.writing as writing

    real, calls = writing.template_to_file, []

    def once(*args: object, **kwargs: object) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(*args, **kwargs)

    monkeypatch.setattr(writing, "template_to_file", once)
    with pytest.raises(RevisionError, match="No space left"):
        write(tmp_path, "one", (add("A"), drop("X")))
    assert list((tmp_path / "versions").iterdir()) == []


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    expand, contract = write(tmp_path, "one", (add("A"), drop("X")))
    expand.path.unlink()
    with pytest.raises(RevisionError, match=f"{re.escape(contract.path.name)} follows {expand.id}"):
        read_all(tmp_path)


def chain(folder: Path) -> tuple[Revision, ...]:
    """e1 ← e2, and c1, which depends on e1, ← c2, which depends on e2."""
    write(folder, "one", (add("A"), drop("X")), now=at(1))
    write(folder, "two", (add("B"), drop("Y")), now=at(2))
    e1, c1, e2, c2 = read_all(folder)
    return e1, c1, e2, c2


def test_a_target_is_reached_with_all_that_it_needs(tmp_path: Path) -> None:
    e1, c1, e2, c2 = chain(tmp_path)
    found = (e1, c1, e2, c2)
    assert up_to(found, e2.id[:3]) == (e1, e2)
    assert up_to(found, c1.id) == (e1, c1)
    assert up_to(found, "contract@head") == (e1, c1, e2, c2)
    assert up_to(found, "heads") == (e1, c1, e2, c2)
    with pytest.raises(RevisionError, match="'nothing' names no revision"):
        up_to(found, "nothing")
    with pytest.raises(RevisionError, match="'head' names no revision"):  # there are two
        up_to(found, "head")


def test_the_way_back_takes_what_depends_on_it_too_newest_first(tmp_path: Path) -> None:
    e1, c1, e2, c2 = chain(tmp_path)
    found = (e1, c1, e2, c2)
    everything = [r.id for r in found]
    assert {r.id for r in back_to(found, everything, e1.id)} == {c2.id, e2.id}
    assert back_to(found, [e1.id, e2.id], e1.id) == (e2,)
    back = back_to(found, everything, "base")
    assert set(back) == set(found)
    for name in everything:
        (revision,) = (r for r in found if r.id == name)
        for parent in (*revision.down, *revision.depends):
            assert [r.id for r in back].index(name) < [r.id for r in back].index(parent)


def test_the_version_is_what_no_applied_revision_needs(tmp_path: Path) -> None:
    e1, c1, e2, c2 = chain(tmp_path)
    found = (e1, c1, e2, c2)
    assert current(found, []) == ()
    assert current(found, [e1.id]) == (e1.id,)
    assert set(current(found, [e1.id, c1.id, e2.id])) == {c1.id, e2.id}
    assert current(found, [r.id for r in found]) == (c2.id,)
    assert current(found, [e1.id, c2.id]) == (e1.id,)  # c2 without what it needs is no version of Alembic's
