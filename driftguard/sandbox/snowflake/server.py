"""The HTTP server that `snowflake.connector.connect` talks to, and the sandbox's own routes.

The routes and bodies are those that the connector's sources (4.x and 5.x) send and read. Whatever goes wrong becomes an
error body at once: a client retries an HTTP 500 for minutes.
"""

from __future__ import annotations

import functools
import gzip
import json
import logging
import secrets
import socket
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from driftguard.sandbox.snowflake import dispatch, errors, lexer
from driftguard.sandbox.snowflake.catalog import Database, Schema, Warehouse
from driftguard.sandbox.snowflake.engine import Engine
from driftguard.sandbox.snowflake.log import StatementLog
from driftguard.sandbox.snowflake.pump import pump
from driftguard.sandbox.snowflake.results import Result
from driftguard.sandbox.snowflake.sessions import DEFAULTS, Session, checked

_LOG = logging.getLogger(__name__)
_IN_PROGRESS = "333334"
_KINDS = ("TABLE", "VIEW", "FILE FORMAT", "STAGE", "PIPE", "TASK", "PROCEDURE", "STREAM")


class SnowflakeServer:
    """The stand-in as a server on 127.0.0.1."""

    def __init__(
        self,
        *,
        state_dir: Path | None = None,
        port: int = 0,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.engine = Engine()
        self.replay_problems: list[str] = []
        self._state_dir = state_dir
        self._lock = threading.Lock()
        self._passwords = dict(passwords) if passwords is not None else None
        self._tokens: dict[str, Session] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._requests: OrderedDict[tuple[int, str], Future[dict[str, Any]]] = OrderedDict()
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Binds, replays the statement log if there is one, and serves in a daemon thread."""
        if self._state_dir is not None:
            self.engine.log = StatementLog(self._state_dir)
            with self.engine.condition:
                self.replay_problems = self.engine.log.replay(self.engine)
        # asyncio turns Nagle's algorithm off only for sockets that say they are TCP; with it an answer takes 40 ms more
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        # uvicorn hangs up on a client that was silent for 5 s
        config = uvicorn.Config(
            self.application(),
            http="httptools",  # the parser in Python takes as long as a small statement
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=3600,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._uvicorn.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the Snowflake stand-in did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
            self._uvicorn.force_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._uvicorn = self._thread = None

    def connect_kwargs(self) -> dict[str, object]:
        """Arguments for `snowflake.connector.connect`."""
        return {
            "account": "sandbox",
            "user": "driftguard",
            "password": (self._passwords or {}).get("driftguard", "sandbox"),
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
        }

    def application(self) -> Starlette:
        routes = [
            Route("/session/v1/login-request", self._login, methods=["POST"]),
            Route("/session/token-request", self._token, methods=["POST"]),
            Route("/session", self._session, methods=["POST"]),
            Route("/session/heartbeat", self._heartbeat, methods=["POST"]),
            Route("/queries/v1/query-request", self._query, methods=["POST"]),
            Route("/queries/v1/abort-request", self._abort, methods=["POST"]),
            Route("/queries/{query_id}/result", self._result, methods=["GET"]),
            Route("/monitoring/queries/{query_id}", self._monitoring, methods=["GET"]),
            Route("/telemetry/send", self._nothing, methods=["POST"]),
            Route("/sandbox/pump", self._pump, methods=["POST"]),
            Route("/sandbox/status", self._status, methods=["GET"]),
        ]
        return Starlette(routes=routes)

    # -- login -------------------------------------------------------------------------------------------------

    async def _login(self, request: Request) -> JSONResponse:
        body = (await _body(request)).get("data", {})
        user = str(body.get("LOGIN_NAME") or "driftguard")
        if self._passwords is not None and self._passwords.get(user) != body.get("PASSWORD"):
            return _refusal("390100", "Incorrect username or password was specified.")
        query = request.query_params
        try:
            session = await run_in_threadpool(self._open, user, dict(query), body.get("SESSION_PARAMETERS") or {})
        except errors.SnowflakeError as error:
            return _refusal(f"{error.errno:06d}", error.message)
        token, master = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._tokens[token] = self._tokens[master] = session
        data = {
            "masterToken": master,
            "token": token,
            "validityInSeconds": 36000,
            "masterValidityInSeconds": 144000,
            "displayUserName": user.upper(),
            "serverVersion": "9.0.0",
            "firstLogin": False,
            "remMeToken": None,
            "remMeValidityInSeconds": 0,
            "healthCheckInterval": 45,
            "newClientForUpgrade": None,
            "sessionId": session.id,
            "parameters": _parameters(session),
            "sessionInfo": _session_info(session),
            "idToken": None,
            "idTokenValidityInSeconds": 0,
            "responseData": None,
        }
        return JSONResponse({"data": data, "code": None, "message": None, "success": True})

    def _open(self, user: str, query: dict[str, str], parameters: dict[str, Any]) -> Session:
        """A session with what the login asks for; a database that is not there is left unset, as Snowflake does."""
        role = _folded(query.get("roleName")) or "ACCOUNTADMIN"
        if role not in self.engine.grants.roles:
            raise errors.SnowflakeError(
                390189, "08004", f"Role '{role}' specified in the connect string does not exist or not authorized."
            )
        session = self.engine.new_session(user.upper(), role)
        for name, value in parameters.items():
            key = str(name).upper()
            if key in DEFAULTS:
                session.parameters[key] = checked(key, value)
        database = _folded(query.get("databaseName"))
        schema = _folded(query.get("schemaName"))
        warehouse = _folded(query.get("warehouse"))
        found: Database | None = self.engine.catalog.databases.get(database or "")
        if found is not None and self.engine.grants.enters(role, found, None):
            session.database = found.name
            inner: Schema | None = found.schemas.get(schema or "PUBLIC")
            if inner is not None and self.engine.grants.enters(role, found, inner):
                session.schema = inner.name
        if warehouse is not None and isinstance(self.engine.catalog.warehouses.get(warehouse), Warehouse):
            session.warehouse = warehouse
        return session

    async def _token(self, request: Request) -> JSONResponse:
        """Renewal: the same session under a new token."""
        session = self._of(request)
        if session is None:
            return _gone()
        token, master = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._tokens[token] = self._tokens[master] = session
        data = {
            "sessionToken": token,
            "validityInSecondsST": 36000,
            "masterToken": master,
            "validityInSecondsMT": 144000,
            "sessionId": session.id,
        }
        return JSONResponse({"data": data, "code": None, "message": None, "success": True})

    async def _session(self, request: Request) -> JSONResponse:
        session = self._of(request)
        if session is None:
            return _gone()
        if request.query_params.get("delete"):
            self._tokens = {token: one for token, one in self._tokens.items() if one is not session}
            await run_in_threadpool(self._close, session)
        return _done()

    def _close(self, session: Session) -> None:
        with session.lock:
            self.engine.close_session(session)

    async def _heartbeat(self, request: Request) -> JSONResponse:
        return _gone() if self._of(request) is None else _done()

    async def _nothing(self, _: Request) -> JSONResponse:
        return _done()

    def _of(self, request: Request) -> Session | None:
        header = request.headers.get("Authorization", "")
        return self._tokens.get(header.partition('Token="')[2].rstrip('"'))

    # -- statements --------------------------------------------------------------------------------------------

    async def _query(self, request: Request) -> JSONResponse:
        session = self._of(request)
        if session is None:
            return _gone()
        body = await _body(request)
        request_id = request.query_params.get("requestId", "")
        query_id = str(uuid.uuid4())
        if body.get("asyncExec"):
            self._answers[query_id] = {}
            threading.Thread(target=self._answer, args=(session, body, request_id, query_id), daemon=True).start()
            data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
            return JSONResponse({"data": data, "code": _IN_PROGRESS, "message": None, "success": True})
        return JSONResponse(await run_in_threadpool(self._once, session, body, request_id, query_id))

    def _once(self, session: Session, body: dict[str, Any], request_id: str, query_id: str) -> dict[str, Any]:
        """A request that a client repeats, because its connection broke, gets the answer of the first.

        docs.snowflake.com says so of the SQL API ("Resubmitting a request to execute SQL statements"); the connector
        repeats its own requests under one requestId.
        """
        key = (session.id, request_id)
        with self._lock:
            earlier = self._requests.get(key) if request_id else None
            if earlier is None:
                mine = self._requests[key] = Future()
                while len(self._requests) > 1000:
                    self._requests.popitem(last=False)
        if earlier is not None:
            return earlier.result()
        answer = self._answer(session, body, request_id, query_id)
        mine.set_result(answer)
        return answer

    def _answer(self, session: Session, body: dict[str, Any], request_id: str, query_id: str) -> dict[str, Any]:
        """Runs the statement to its end, whether or not the client still listens."""
        try:
            answer = self._run(session, body, request_id, query_id)
        except errors.SnowflakeError as error:
            answer = _error_body(error, query_id)
        except Exception as error:  # a defect of the stand-in: say so at once
            _LOG.exception("the stand-in failed on %r", str(body.get("sqlText"))[:200])
            text = f"SQL execution internal error: the sandbox's stand-in failed: {type(error).__name__}: {error}"
            answer = _error_body(errors.SnowflakeError(603, "XX000", text), query_id)
        if query_id in self._answers:
            self._answers[query_id] = answer
        return answer

    def _run(self, session: Session, body: dict[str, Any], request_id: str, query_id: str) -> dict[str, Any]:
        sql = str(body.get("sqlText") or "")
        given = body.get("parameters") or {}
        overrides = {
            key.upper(): checked(key.upper(), value) for key, value in given.items() if key.upper() in DEFAULTS
        }
        wanted = int(str(overrides.get("MULTI_STATEMENT_COUNT", 1)))
        _one_statement(sql, wanted)
        rows = _bindings(body.get("bindings") or {})
        if body.get("describeOnly"):
            raise errors.unsupported("describing a statement without running it")
        results: list[Result] = []
        for row in rows:
            text = lexer.bind(sql, row) if row else sql
            _, one = dispatch.run(
                self.engine, session, text, request_id=request_id, overrides=dict(overrides), query_id=query_id
            )
            results.append(one)
        result = functools.reduce(_added, results)
        data = {
            "parameters": _parameters(session),
            "rowtype": [field.rowtype() for field in result.fields],
            "rowset": result.rowset(),
            "total": len(result.rows),
            "returned": len(result.rows),
            "queryId": query_id,
            "databaseProvider": None,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
            "numberOfBinds": 0,
            "arrayBindSupported": False,
            "statementTypeId": result.type_id,
            "version": 1,
            "queryResultFormat": "json",
            **result.extra,
        }
        return {"data": data, "code": None, "message": None, "success": True}

    async def _abort(self, request: Request) -> JSONResponse:
        """The client gives up on a request: the statement is cancelled."""
        if self._of(request) is None:
            return _gone()
        wanted = str((await _body(request)).get("requestId") or "")
        for record in reversed(self.engine.history.queries):
            if record.request_id == wanted and wanted and record.end is None:
                record.cancelled = True
                break
        return _done()

    async def _result(self, request: Request) -> JSONResponse:
        query_id = request.path_params["query_id"]
        answer = self._answers.get(query_id)
        if answer is None:
            return _refusal("000709", f"Statement {query_id} not found")
        if not answer:
            data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result"}
            return JSONResponse({"data": data, "code": _IN_PROGRESS, "message": None, "success": True})
        return JSONResponse(answer)

    async def _monitoring(self, request: Request) -> JSONResponse:
        record = self.engine.history.query(request.path_params["query_id"])
        queries: list[dict[str, Any]] = []
        if record is not None:
            one: dict[str, Any] = {"id": record.query_id, "status": record.status, "state": record.status}
            if record.error_code is not None:
                one |= {"errorCode": f"{record.error_code:06d}", "errorMessage": record.error_message}
            queries.append(one)
        return JSONResponse({"data": {"queries": queries}, "code": None, "message": None, "success": True})

    # -- the sandbox's own -------------------------------------------------------------------------------------

    async def _pump(self, request: Request) -> JSONResponse:
        raw = await request.body()
        asked = json.loads(raw) if raw else {}
        seed = asked.get("seed")
        out = await run_in_threadpool(pump, self.engine, seed=None if seed is None else int(seed))
        return JSONResponse(out)

    async def _status(self, _: Request) -> JSONResponse:
        catalog = self.engine.catalog
        counts = {kind.lower().replace(" ", "_"): sum(1 for _ in catalog.everything(kind)) for kind in _KINDS}
        counts |= {"database": len(catalog.databases), "warehouse": len(catalog.warehouses)}
        started = sum(1 for one in catalog.everything("TASK") if getattr(one.thing, "state", "") == "started")
        return JSONResponse(
            {
                "objects": counts,
                "tasks_started": started,
                "tasks_running": sum(1 for run in self.engine.history.runs if run.state == "EXECUTING"),
                "sessions": len(set(map(id, self._tokens.values()))),
                "statements": len(self.engine.history.queries),
                "replay_problems": self.replay_problems,
            }
        )


# -- bodies ----------------------------------------------------------------------------------------------------


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    out: dict[str, Any] = json.loads(raw) if raw else {}
    return out


def _done() -> JSONResponse:
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


def _gone() -> JSONResponse:
    return _refusal("390104", "User must login again to access the service.")


def _refusal(code: str, message: str) -> JSONResponse:
    return JSONResponse({"data": None, "code": code, "message": message, "success": False})


def _error_body(error: errors.SnowflakeError, query_id: str) -> dict[str, Any]:
    code = f"{error.errno:06d}"
    data = {
        "internalError": False,
        "errorCode": code,
        "sqlState": error.sqlstate,
        "queryId": query_id,
        "age": 0,
        "type": "COMPILATION",
    }
    return {"data": data, "code": code, "message": error.message, "success": False}


def _folded(name: str | None) -> str | None:
    """A name of the login: quoted names keep their case."""
    if not name:
        return None
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        return name[1:-1].replace('""', '"')
    return name.upper()


def _session_info(session: Session) -> dict[str, Any]:
    return {
        "databaseName": session.database,
        "schemaName": session.schema,
        "warehouseName": session.warehouse,
        "roleName": session.role,
    }


def _parameters(session: Session) -> list[dict[str, object]]:
    """What the client acts upon."""
    out: list[dict[str, object]] = [
        {"name": name, "value": session.parameter(name)}
        for name in ("TIMEZONE", "AUTOCOMMIT", "TIMESTAMP_TYPE_MAPPING", "QUERY_TAG", "BINARY_OUTPUT_FORMAT")
    ]
    return [
        *out,
        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
        {"name": "SERVICE_NAME", "value": ""},
    ]


def _one_statement(sql: str, wanted: int) -> None:
    found = lexer.statements(sql)
    if len(found) > 1 and not lexer.is_block(sql):
        if wanted == 1:
            raise errors.SnowflakeError(
                8, "0A000", f"Actual statement count {len(found)} did not match the desired statement count 1."
            )
        raise errors.unsupported("several statements in one request")


def _bindings(bindings: dict[str, dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Values for `?`, one list a row; an array binding (executemany) gives several rows."""
    if not bindings:
        return [[]]
    ordered = [bindings[str(number)] for number in range(1, len(bindings) + 1)]
    if any(isinstance(one["value"], list) for one in ordered):
        count = max(len(one["value"]) for one in ordered)
        return [[(one["type"], one["value"][row]) for one in ordered] for row in range(count)]
    return [[(one["type"], one["value"]) for one in ordered]]


def _added(total: Result, one: Result) -> Result:
    """The counts of an array binding are those of all rows."""
    if total.rows and one.rows and all(isinstance(value, int) for value in (*total.rows[0], *one.rows[0])):
        total.rows = [tuple(int(str(a)) + int(str(b)) for a, b in zip(total.rows[0], one.rows[0], strict=True))]
    return total
