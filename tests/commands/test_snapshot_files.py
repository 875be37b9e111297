"""Where a snapshot goes: whole or not at all, and never over something that is no file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from driftguard.commands.snapshot import _write


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    reader.start()
    _write(fifo, "{}")
    reader.join(10)
    assert read == ["{}"]
    assert fifo.is_fifo()


def test_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    link = tmp_path / "link.json"
    link.symlink_to("real.json")
    _write(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.json", "real.json"]
