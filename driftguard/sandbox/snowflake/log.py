"""The statement log: what changed the account, in order, with its times; replayed when the server starts again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftguard.sandbox.snowflake import errors

if TYPE_CHECKING:
    from driftguard.sandbox.snowflake.engine import Engine
    from driftguard.sandbox.snowflake.sessions import Session

NAME = "snowflake.log.jsonl"


class StatementLog:
    """Appends one JSON object a line; a half-written last line (a killed server) is dropped on reading."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        directory.mkdir(parents=True, exist_ok=True)
        self.replaying = False

    @staticmethod
    def context(session: Session) -> dict[str, Any]:
        """Where a statement ran, so that it means the same again."""
        return {
            "user": session.user,
            "role": session.role,
            "warehouse": session.warehouse,
            "database": session.database,
            "schema": session.schema,
            "parameters": {**session.parameters, **session.overrides},
        }

    def statement(self, at: int, session: Session, context: dict[str, Any] | None, sql: str) -> None:
        self._append({"kind": "sql", "at": at, "session": session.id, "context": context, "sql": sql})

    def load(self, at: int, pipe: str, file: str, modified: int) -> None:
        self._append({"kind": "load", "at": at, "pipe": pipe, "file": file, "modified": modified})

    def task(self, at: int, name: str, run: int) -> None:
        self._append({"kind": "task", "at": at, "task": name, "run": run})

    def _append(self, entry: dict[str, Any]) -> None:
        if self.replaying:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        out: list[dict[str, Any]] = []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines):
            if not line:
                continue
            try:
                out.append(json.loads(line))
            except ValueError:
                if number >= len(lines) - 2:
                    self.path.write_text("\n".join([*lines[:number], ""]), encoding="utf-8")
                    break
                raise
        return out

    def replay(self, engine: Engine) -> list[str]:
        """Runs the log; what fails now and did not then is returned, one line each."""
        from driftguard.sandbox.snowflake import dispatch, pump
        from driftguard.sandbox.snowflake.execution import Execution

        self.replaying = True
        sessions: dict[int, Session] = {}
        problems: list[str] = []
        try:
            for entry in self.entries():
                engine.clock.pin(int(entry["at"]) - (0 if entry["kind"] == "sql" else 1))
                if entry["kind"] == "sql":
                    session = sessions.get(entry["session"]) or engine.new_session()
                    sessions[entry["session"]] = session
                    context = entry["context"]
                    session.user, session.role, session.warehouse = (
                        context["user"],
                        context["role"],
                        context["warehouse"],
                    )
                    session.database, session.schema = context["database"], context["schema"]
                    session.parameters = dict(context["parameters"])
                    ex = Execution(engine, session, None)
                    try:
                        dispatch.statement(ex, entry["sql"])
                    except errors.SnowflakeError as error:
                        problems.append(f"{entry['sql'][:80]!r}: {error.message}")
                    finally:
                        ex.close()
                        engine.end_statement(session)
                elif entry["kind"] == "load":
                    problem = pump.load_again(engine, entry["pipe"], entry["file"])
                    problems += [problem] if problem else []
                else:
                    pump.run_again(engine, entry["task"], int(entry["run"]))
            for session in sessions.values():
                engine.close_session(session)
        finally:
            engine.clock.pin(None)
            self.replaying = False
        return problems
