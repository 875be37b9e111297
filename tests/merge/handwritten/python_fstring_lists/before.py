"""Run by the scheduler every ten minutes."""
TABLES = {
    "DRIVERS": {"key": "DRIVER_ID", "columns": ["DRIVER_ID", "NAME", "LICENSE"]},
    "TOURS": {"key": "TOUR_ID", "columns": ["TOUR_ID", "DRIVER_ID", "START_AT"]},
}


def merge_sql(table: str) -> str:
    spec = TABLES[table]
    key, columns = spec["key"], spec["columns"]
    return f"""
    MERGE INTO FINAL.{table} t
    USING (
        SELECT OP, {", ".join(columns)}
        FROM STAGING.{table}_CDC
        QUALIFY ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY COMMIT_TS DESC) = 1
    ) s
    ON t.{key} = s.{key}
    WHEN MATCHED AND s.OP = 'D' THEN DELETE
    WHEN MATCHED THEN UPDATE SET {", ".join(f"t.{c} = s.{c}" for c in columns if c != key)}
    WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT ({", ".join(columns)})
    VALUES ({", ".join("s." + c for c in columns)})
    """


def run(cursor) -> None:
    for table in TABLES:
        cursor.execute(merge_sql(table))
