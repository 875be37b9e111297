MERGE INTO "PROD"."FINAL"."VEHICLE" "target" USING (
SELECT "sq_2"."OP" AS "OP",
  "sq_2"."VIN" AS "VIN",
  "sq_2"."MAKE" AS "MAKE",
  "sq_2"."BUILD_YEAR" AS "BUILD_YEAR",
  "sq_2"."FUEL" AS "FUEL"
FROM (
SELECT "sq_1"."OP" AS "OP",
  "sq_1"."VIN" AS "VIN",
  "sq_1"."MAKE" AS "MAKE",
  "sq_1"."BUILD_YEAR" AS "BUILD_YEAR",
  "sq_1"."FUEL" AS "FUEL",
  ROW_NUMBER() OVER (PARTITION BY "sq_1"."VIN" ORDER BY "sq_1"."COMMIT_TS" DESC) AS "rank_no"
FROM (
SELECT * FROM "PROD"."STAGING"."VEHICLE_CDC"
) "sq_1"
) "sq_2"
WHERE ("sq_2"."rank_no" = 1)
) "input" ON "target"."VIN" = "input"."VIN"
WHEN MATCHED AND "input"."OP" = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET
  "MAKE" = "input"."MAKE",
  "BUILD_YEAR" = "input"."BUILD_YEAR",
  "FUEL" = "input"."FUEL"
WHEN NOT MATCHED AND "input"."OP" <> 'D' THEN INSERT (
  "VIN",
  "MAKE",
  "BUILD_YEAR",
  "FUEL"
) VALUES (
  "input"."VIN",
  "input"."MAKE",
  "input"."BUILD_YEAR",
  "input"."FUEL"
)
