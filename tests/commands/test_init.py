"""`driftguard init`: a folder in which both driftguard and Alembic work, and nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from driftguard.commands.init import init
from driftguard.config import load
from driftguard.errors import UsageError
from home import ENVIRONMENT


def test_alembic_reads_the_folder_as_it_is_left(tmp_path: Path) -> None:
    result = init(tmp_path)
    assert {p.relative_to(tmp_path).as_posix() for p in result.written} >= {
        "driftguard.toml", "alembic.ini", "migrations/env.py", "migrations/script.py.mako", "migrations/versions/.gitkeep",
    }  # fmt: skip
    assert load(directory=tmp_path).settings.revisions.dir == "migrations"
    alembic = Path(sys.executable).with_name("alembic")
    for command in ("heads", "history", "branches"):
        done = subprocess.run([alembic, command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").write_text("# ours")
    result = init(tmp_path)
    assert tmp_path / "migrations" / "env.py" in result.kept
    assert (tmp_path / "migrations" / "env.py").read_text() == "# ours"
    assert init(tmp_path).written == ()


def test_a_file_in_the_place_of_a_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "migrations").write_text("")
    with pytest.raises(UsageError, match="name a folder that can be written"):
        init(tmp_path)
