MERGE INTO "FINAL"."subscriptions" AS "t"
USING (
  SELECT "Op", "id", "plan", "seats"
  FROM "RAW"."subscriptions_cdc"
  QUALIFY ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "transact_ts" DESC) = 1
) AS "s"
ON "t"."id" = "s"."id"
WHEN MATCHED AND "s"."Op" = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
  "plan" = "s"."plan",
  "seats" = "s"."seats"
WHEN NOT MATCHED AND "s"."Op" <> 'D' THEN INSERT
  ("id", "plan", "seats")
VALUES
  ("s"."id", "s"."plan", "s"."seats");
