resource "snowflake_task" "tokens_merge" {
  database  = var.database
  schema    = "FINAL"
  name      = "TOKENS_MERGE"
  warehouse = snowflake_warehouse.load.name
  started   = true

  schedule {
    minutes = 5
  }

  sql_statement = <<-SQL
    MERGE INTO ${var.database}.FINAL.TOKENS t
    USING (
      SELECT op, token_id, scope
      FROM ${var.database}.STAGING.TOKENS_CDC
      QUALIFY ROW_NUMBER() OVER (PARTITION BY token_id ORDER BY commit_ts DESC) = 1
    ) s
    ON t.token_id = s.token_id
    WHEN MATCHED AND s.op = 'D' THEN DELETE
    WHEN MATCHED THEN UPDATE SET scope = s.scope
    WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (token_id, scope) VALUES (s.token_id, s.scope)
  SQL
}
