"""Starts the command line by forking a process that has everything imported: importing takes longer than most commands."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path


class Warm:
    """`start` gives a running driftguard; `wait` its exit code (negative: a signal); `said` what it printed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._said = Path(tempfile.mkdtemp(prefix="driftguard-said-"))
        self._ends: dict[int, int] = {}
        self._arrived = threading.Condition()
        self._pids: list[int] = []
        threading.Thread(target=self._read, daemon=True).start()

    def start(self, directory: Path, *arguments: str, network_timeout: int = 0, program: str = "driftguard") -> int:
        """The process id. `program` can also be Alembic's."""
        assert self._process.stdin is not None
        order = {
            "directory": str(directory),
            "said": str(self._said),
            "arguments": arguments,
            "network_timeout": network_timeout,
            "program": program,
        }
        with self._arrived:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            assert self._arrived.wait_for(lambda: self._pids, timeout=60)
            return self._pids.pop()

    def wait(self, pid: int, timeout: float = 120) -> int:
        with self._arrived:
            assert self._arrived.wait_for(lambda: pid in self._ends, timeout=timeout), "it does not end"
            return self._ends.pop(pid)

    def said(self, pid: int) -> tuple[str, str]:
        """(stdout, stderr) of one that has ended, once."""
        files = [self._said / f"{pid}.{name}" for name in ("out", "err")]
        out, err = (file.read_text(encoding="utf-8") for file in files)
        for file in files:
            file.unlink()
        return out, err

    def run(
        self, directory: Path, arguments: Iterable[str], program: str = "driftguard"
    ) -> subprocess.CompletedProcess[str]:
        """From start to end."""
        arguments = list(arguments)
        pid = self.start(directory, *arguments, program=program)
        code = self.wait(pid, timeout=300)
        return subprocess.CompletedProcess([program, *arguments], code, *self.said(pid))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        shutil.rmtree(self._said)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, *numbers = line.split()
            with self._arrived:
                if kind == "started":
                    self._pids.append(int(numbers[0]))
                else:
                    self._ends[int(numbers[0])] = int(numbers[1])
                self._arrived.notify_all()


def _child(order: dict[str, object]) -> int:
    from alembic.config import main as alembic

    from driftguard.cli import main

    seconds = int(str(order["network_timeout"]))
    if seconds:
        import snowflake.connector

        often = {"network_timeout": seconds, "backoff_policy": lambda: itertools.repeat(0.2)}
        connect = snowflake.connector.connect
        snowflake.connector.connect = lambda *a, **k: connect(*a, **{**k, **often})
    os.chdir(str(order["directory"]))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        file = f"{order['said']}/{os.getpid()}.{name}"
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    try:
        if order["program"] == "alembic":
            alembic(list(order["arguments"]), prog="alembic")  # type: ignore[call-overload]
        else:
            main(list(order["arguments"]), prog_name="driftguard")  # type: ignore[call-overload]
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _import_everything() -> None:
    """What a command imports when it is called."""
    import importlib
    import pkgutil

    import driftguard

    for module in pkgutil.walk_packages(driftguard.__path__, "driftguard."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    import snowflake.connector  # noqa: F401


def _main() -> None:
    _import_everything()
    lock = threading.Lock()
    print_ = sys.stdout

    def tell(text: str) -> None:
        with lock:
            print_.write(text + "\n")
            print_.flush()

    def reap(pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")

    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _child(json.loads(line))
            except Exception:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        tell(f"started {pid}")
        threading.Thread(target=reap, args=(pid,), daemon=True).start()


if __name__ == "__main__":
    _main()
