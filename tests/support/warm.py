"""Starts the command line by forking a process that has everything imported: importing takes longer than an apply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path


class Warm:
    """`start` gives a running driftguard; `wait` its exit code (negative: a signal) and what it printed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._ends: dict[int, int] = {}
        self._arrived = threading.Condition()
        self._pids: list[int] = []
        threading.Thread(target=self._read, daemon=True).start()

    def start(self, directory: Path, *arguments: str, network_timeout: int = 0) -> int:
        """The process id."""
        assert self._process.stdin is not None
        order = {"directory": str(directory), "arguments": arguments, "network_timeout": network_timeout}
        with self._arrived:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            assert self._arrived.wait_for(lambda: self._pids, timeout=60)
            return self._pids.pop()

    def wait(self, pid: int) -> int:
        with self._arrived:
            assert self._arrived.wait_for(lambda: pid in self._ends, timeout=120), "it does not end"
            return self._ends[pid]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

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
    from driftguard.cli import main
    from driftguard.snowflake.session import Session

    seconds = int(str(order["network_timeout"]))
    if seconds:
        connect = Session.connect
        Session.connect = lambda *a, **k: connect(*a, **{**k, "network_timeout": seconds})  # type: ignore[assignment, method-assign]
    os.chdir(str(order["directory"]))
    for number, name in ((1, "out.txt"), (2, "err.txt")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    try:
        main(list(order["arguments"]))  # type: ignore[call-overload]
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _main() -> None:
    import snowflake.connector

    import driftguard.commands.apply
    import driftguard.commands.status

    assert snowflake.connector
    assert driftguard.commands.apply
    assert driftguard.commands.status
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
            finally:
                sys.stdout.flush()
                os._exit(code)
        tell(f"started {pid}")
        threading.Thread(target=reap, args=(pid,), daemon=True).start()


if __name__ == "__main__":
    _main()
