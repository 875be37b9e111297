"""Revisions on disk: written, read back, and never run."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from driftguard.errors import RevisionError
from driftguard.migrate.history import heads, read_all
from driftguard.migrate.revision import read
from driftguard.migrate.writing import write
from driftguard.model.plan import Phase
from operation_cases import CASES

OPERATIONS = tuple(operation for operation, _ in CASES.values() if operation.phase is Phase.EXPAND)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    (written,) = write(tmp_path, "add things", OPERATIONS)
    (found,) = read_all(tmp_path)
    assert found == written
    assert found.operations == OPERATIONS
    assert found.message == "add things"


def test_a_revision_follows_the_newest_one(tmp_path: Path) -> None:
    (first,) = write(tmp_path, "one", OPERATIONS[:1])
    (second,) = write(tmp_path, "two", OPERATIONS[1:2])
    assert second.down == (first.id,)
    assert [r.id for r in read_all(tmp_path)] == [first.id, second.id]
    assert heads(read_all(tmp_path), "expand") == (second.id,)


def test_formatting_and_comments_do_not_change_the_digest(tmp_path: Path) -> None:
    (revision,) = write(tmp_path, "one", OPERATIONS[:1])
    text = revision.path.read_text()
    revision.path.write_text(text.replace("def upgrade", "# a remark\ndef upgrade").replace("one\n\n", "uno\n\n", 1))
    assert read(revision.path).digest == revision.digest


def test_a_message_cannot_break_out_of_the_docstring(tmp_path: Path) -> None:
    message = 'evil """\nimport os; os.system("x")\n"""'
    (revision,) = write(tmp_path, message, OPERATIONS[:1])
    assert read(revision.path).operations == OPERATIONS[:1]


def test_a_revision_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(template: str, dest: str, *args: object, **kwargs: object) -> None:
        Path(dest).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("driftguard.migrate.writing.template_to_file", full)
    with pytest.raises(RevisionError, match="No space left"):
        write(tmp_path, "one", OPERATIONS[:1])
    assert list((tmp_path / "versions").iterdir()) == []
    assert read_all(tmp_path) == ()


def test_two_files_of_one_revision_are_refused(tmp_path: Path) -> None:
    (revision,) = write(tmp_path, "one", OPERATIONS[:1])
    revision.path.with_name("zz_copy.py").write_text(revision.path.read_text())
    with pytest.raises(RevisionError, match="are both revision"):
        read_all(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "migrations").write_text("")
    with pytest.raises(RevisionError, match="Not a directory"):
        write(tmp_path / "migrations", "one", OPERATIONS[:1])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("def upgrade", "import os\ndef upgrade"), "only upgrade()"),
        (("    op.add_columns(", "    print('hello')\n    op.add_columns("), "only calls like"),
        (("op.add_columns(", "op.run_sql("), "no operation"),
        (("'VARCHAR(134217728)'", "open('/etc/passwd').read()"), "only literals"),
        (("name': 'NEW'", "name': 5"), "columns"),
        (("def upgrade() -> None:", "def upgrade() -> None"), "not valid Python"),
        (("revision = ", "version = "), "not a revision"),
    ],
)
def test_anything_but_literal_operations_is_refused(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    (revision,) = write(tmp_path, "one", OPERATIONS[:1])
    text = revision.path.read_text()
    assert change[0] in text
    revision.path.write_text(text.replace(*change, 1))
    with pytest.raises(RevisionError, match=why) as caught:
        read(revision.path)
    assert str(revision.path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_next_plan_follows_the_revisions_of_two_pull_requests(tmp_path: Path) -> None:
    (first,) = write(tmp_path, "one", OPERATIONS[:1])
    (second,) = write(tmp_path, "two", OPERATIONS[1:2])
    other = second.path.with_name("other.py")
    other.write_text(second.path.read_text().replace(second.id, "feedfeedfeed"))
    assert set(heads(read_all(tmp_path), "expand")) == {second.id, "feedfeedfeed"}
    (third,) = write(tmp_path, "three", OPERATIONS[2:3])
    assert set(third.down) == {second.id, "feedfeedfeed"}
    assert heads(read_all(tmp_path), "expand") == (third.id,)
    order = [revision.id for revision in read_all(tmp_path)]
    assert (order[0], order[-1]) == (first.id, third.id)
    assert f"Revises: {', '.join(third.down)}" in third.path.read_text()


def test_a_missing_link_is_named(tmp_path: Path) -> None:
    write(tmp_path, "one", OPERATIONS[:1])[0].path.unlink()
    (second,) = write(tmp_path, "two", OPERATIONS[1:2])
    text = second.path.read_text().replace("down_revision = None", "down_revision = 'gone00000000'")
    second.path.write_text(text)
    with pytest.raises(RevisionError, match="gone00000000"):
        read_all(tmp_path)


def test_no_folder_means_no_revisions(tmp_path: Path) -> None:
    assert read_all(tmp_path / "nothing") == ()
