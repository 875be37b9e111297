"""A stand-in that is made ready once and then forked: each fork begins where the first one stood."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Away:
    """A stand-in of another process, for those who connect to it."""

    port: int
    pid: int = 0

    def connect_kwargs(self) -> dict[str, object]:
        return {
            "account": "sandbox",
            "user": "driftguard",
            "password": "sandbox",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
        }


class Prepared:
    """`first` is to be made ready through its port; after `freeze`, `fork` gives a copy of it and `end` takes it away."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.first = self._answer()

    def freeze(self) -> None:
        self._order("freeze")
        self._answer()

    def fork(self) -> Away:
        self._order("fork")
        return self._answer()

    def end(self, away: Away) -> None:
        self._order(f"end {away.pid}")
        self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _order(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _answer(self) -> Away:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the prepared stand-in has ended"
        return Away(**json.loads(line))


def _main() -> None:
    from driftguard.sandbox.snowflake.server import SnowflakeServer

    def tell(**what: Any) -> None:
        print(json.dumps(what), flush=True)

    def end(pid: int) -> None:
        """A child that nobody has waited for keeps its number: it is killed, and nobody else."""
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        children.remove(pid)

    server = SnowflakeServer()
    server.start()
    tell(port=server.port)
    children: list[int] = []
    for line in sys.stdin:
        if line.strip() == "freeze":
            server.stop()  # no thread of it is left when it is forked
            server.port = 0
            tell(port=0)
            continue
        if line.startswith("end "):
            end(int(line.removeprefix("end ")))
            tell(port=0)
            continue
        pid = os.fork()
        if pid == 0:
            os.close(0)
            server.start()
            tell(port=server.port, pid=os.getpid())
            while True:
                signal.pause()
        children.append(pid)
    for pid in list(children):
        end(pid)


if __name__ == "__main__":
    _main()
