CREATE OR REPLACE PROCEDURE FINAL.MERGE_STOPS()
RETURNS STRING
LANGUAGE SCALA
RUNTIME_VERSION = '2.12'
PACKAGES = ('com.snowflake:snowpark:latest')
HANDLER = 'Stops.run'
AS
$$
object Stops {
  def run(session: com.snowflake.snowpark.Session): String = {
    val rows = session.sql("""
      MERGE INTO FINAL.STOPS t
      USING (
        SELECT OP, STOP_ID, STOP_NAME, STEP_FREE
        FROM STAGING.STOPS_CDC
        QUALIFY ROW_NUMBER() OVER (PARTITION BY STOP_ID ORDER BY COMMIT_TS DESC) = 1
      ) s
      ON t.STOP_ID = s.STOP_ID
      WHEN MATCHED AND s.OP = 'D' THEN DELETE
      WHEN MATCHED THEN UPDATE SET STOP_NAME = s.STOP_NAME, STEP_FREE = s.STEP_FREE
      WHEN NOT MATCHED AND s.OP <> 'D' THEN
        INSERT (STOP_ID, STOP_NAME, STEP_FREE) VALUES (s.STOP_ID, s.STOP_NAME, s.STEP_FREE)
    """).collect()
    s"stops: ${rows(0)}"
  }
}
$$;
