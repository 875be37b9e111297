from snowflake.snowpark import Session
from snowflake.snowpark.functions import col, row_number, when_matched, when_not_matched
from snowflake.snowpark.window import Window


def main(session: Session) -> str:
    newest = Window.partition_by("SHIFT_ID").order_by(col("COMMIT_TS").desc())
    source = (
        session.table("STAGING.SHIFTS_CDC")
        .with_column("RN", row_number().over(newest))
        .filter(col("RN") == 1)
    )
    target = session.table("FINAL.SHIFTS")
    result = target.merge(
        source,
        target["SHIFT_ID"] == source["SHIFT_ID"],
        [
            when_matched(source["OP"] == "D").delete(),
            when_matched().update({"WORKER_ID": source["WORKER_ID"], "HOURS": source["HOURS"]}),
            when_not_matched(source["OP"] != "D").insert(
                {"SHIFT_ID": source["SHIFT_ID"], "WORKER_ID": source["WORKER_ID"], "HOURS": source["HOURS"]}
            ),
        ],
    )
    return str(result)
