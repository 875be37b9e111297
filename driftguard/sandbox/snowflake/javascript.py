"""Runs the body of a procedure in JavaScript: `snowflake.execute`, `createStatement`, and what they answer.

"Writing stored procedures in JavaScript", "JavaScript stored procedures API", docs.snowflake.com. Arguments have upper
case names; a statement's error can be caught and has `message`, `code` and `state`. The wording of one that is not
caught is unsourced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from driftguard.sandbox.snowflake import errors, scripting
from driftguard.sandbox.snowflake.execution import Execution
from driftguard.sandbox.snowflake.lexer import bind
from driftguard.sandbox.snowflake.types import TEXT

_API = """
var snowflake = (function () {
  function execute(given) {
    var found = JSON.parse(__execute(given.sqlText, JSON.stringify(given.binds || []))), at = -1;
    if (found.message !== undefined) { throw Object.assign(new Error(found.message), found); }
    return {
      next: function () { at += 1; return at < found.rows.length; },
      getColumnValue: function (which) {
        return found.rows[at][typeof which === 'number' ? which - 1 : found.columns.indexOf(which.toUpperCase())];
      },
      getRowCount: function () { return found.rows.length; },
      getColumnCount: function () { return found.columns.length; },
      getNumRowsAffected: function () { return found.affected; }
    };
  }
  return {
    execute: execute,
    createStatement: function (given) { return { execute: function () { return execute(given); } }; }
  };
})();
"""


def run(ex: Execution, name: str, body: str, arguments: Mapping[str, scripting.Value]) -> scripting.Value:
    """What the body returns, as text. Raises `SnowflakeError`."""
    try:
        import quickjs  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise errors.unsupported("procedures in JAVASCRIPT without `pip install driftguard[javascript]`") from None
    interpreter = scripting.Interpreter(ex)

    def execute(sql: str, binds: str) -> str:
        try:
            answer = interpreter.sql(bind(sql, [_bound(value) for value in json.loads(binds)]), scripting.Frame())
        except errors.SnowflakeError as error:
            if error.errno == errors.CANCELLED[0]:
                raise
            return json.dumps({"message": error.message, "code": error.errno, "state": error.sqlstate})
        columns = [field.name.upper() for field in answer.fields]
        return json.dumps({"columns": columns, "rows": answer.rows, "affected": interpreter.rows}, default=str)

    context = quickjs.Context()
    context.add_callable("__execute", execute)
    context.eval(_API)
    values = json.dumps([value for value, _ in arguments.values()], default=str)
    call = f"JSON.stringify([(function ({', '.join(arguments)}) {{\n{body}\n}}).apply(null, {values})])"
    try:
        (value,) = json.loads(context.eval(call))
    except quickjs.JSException as error:
        text = str(error).split("\n")[0]
        raise errors.SnowflakeError(100183, "P0000", f"Execution error in store procedure {name}:\n{text}") from None
    return (None if value is None else str(value)), TEXT


def _bound(value: object) -> tuple[str, object]:
    if isinstance(value, bool):
        return "BOOLEAN", value
    return ("REAL" if isinstance(value, float) else "FIXED" if isinstance(value, int) else "TEXT"), value
