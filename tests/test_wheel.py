"""What is tested is what is installed."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

import driftguard
from driftguard.resources import data_dir


@pytest.mark.skipif(not os.environ.get("DRIFTGUARD_TEST_WHEEL"), reason="a checkout is tested, not a wheel")
def test_the_package_and_its_data_come_from_the_installed_wheel() -> None:
    """`make test` installs the wheel: a file that the wheel lacks must not be found in the checkout instead."""
    installed = Path(sysconfig.get_paths()["purelib"]).resolve()
    assert Path(driftguard.__file__).resolve().is_relative_to(installed)
    for name in ("typemaps", "migrations"):
        assert data_dir(name).is_relative_to(installed)


def test_the_shipped_data_is_there() -> None:
    assert (data_dir("typemaps") / "postgres_to_dms.toml").is_file()
    assert (data_dir("migrations") / "script.py.mako").is_file()
