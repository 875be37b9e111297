"""`driftguard sandbox`: up, sync, status, down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from driftguard.errors import UnreachableError
from driftguard.sandbox.environment import Sandbox, State, read_state, refuse_second, request, running, stop, sync

__all__ = ["lost", "status", "stop", "sync", "up", "up_detached"]


def up(directory: Path, *, aurora_url: str | None = None, ready: Callable[[State], None]) -> None:
    """Run a sandbox in this process until it is told to stop (SIGINT or SIGTERM); `ready` is called once it is up."""
    sandbox = Sandbox.up(directory, aurora_url=aurora_url)
    stopping = False

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        ready(sandbox.state)
        while not stopping:
            time.sleep(0.2)
    finally:
        sandbox.down()


def up_detached(directory: Path, *, aurora_url: str | None = None) -> State:
    """Start a sandbox in a process of its own and wait until it is ready.

    Raises `UsageError` if one is running in `directory` already, and `UnreachableError`, with the last line it wrote,
    if it does not get ready within two minutes.
    """
    refuse_second(directory)  # before the log of the one that runs is overwritten
    home = directory / ".driftguard"
    home.mkdir(parents=True, exist_ok=True)
    log = home / "sandbox.log"
    arguments = [sys.executable, "-m", "driftguard", "sandbox", "up", "--dir", str(directory)]
    if aurora_url:
        arguments += ["--aurora-url", aurora_url]
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(
            arguments, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = read_state(directory)
        if state is not None and state.pid == process.pid:
            return state
        if process.poll() is not None:
            break
        time.sleep(0.1)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it wrote nothing"]
    raise UnreachableError(f"the sandbox did not start: {lines[-1].removeprefix('driftguard: ')}", hint=f"see {log}")


def lost(state: State) -> list[str]:
    """What the Snowflake stand-in could not bring back from its statement log, a line each."""
    return [str(problem) for problem in request(state, "GET", "/sandbox/status")["replay_problems"]]


def status(directory: Path) -> dict[str, Any]:
    """Where the sandbox of `directory` is to be found. Raises `UsageError` where none is running."""
    return running(directory).describe()
