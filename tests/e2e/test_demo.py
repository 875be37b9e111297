"""`driftguard demo` keeps its promise, and would notice if it did not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from home import Home


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Both side by side: two demos share nothing."""
    homes = {name: Home(Path(tmp_path_factory.mktemp(name))) for name in ("demo", "corrupt")}
    running = {
        "demo": homes["demo"].start("demo"),
        "corrupt": homes["corrupt"].start("demo", "--corrupt"),
    }
    done = {}
    for name, process in running.items():
        out, err = process.communicate(timeout=600)
        done[name] = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return done


def test_the_demo_loses_data_without_driftguard_and_none_with_it(
    demos: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    demo = demos["demo"]
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "The promise held" in demo.stdout
    without, guarded = demo.stdout.split("2. With driftguard")
    assert "loyalty_points" in without
    assert "values and 47 rows are not in FINAL" in without
    assert "the pull request is held back" in guarded
    assert "FINAL equals Aurora" in guarded


def test_one_wrong_cell_in_final_fails_the_demo_and_is_named(
    demos: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    corrupt = demos["corrupt"]
    assert corrupt.returncode == 1, corrupt.stdout + corrupt.stderr
    assert "THE PROMISE DID NOT HOLD" in corrupt.stdout
    (named,) = [line.strip() for line in corrupt.stdout.splitlines() if "shop.stock.level of" in line]
    assert "SKU-9" in named
    assert "south" in named
    assert "The promise held" not in corrupt.stdout
