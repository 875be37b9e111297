CREATE OR REPLACE PIPE STAGING.SEALS_PIPE
    AUTO_INGEST = TRUE
    AWS_SNS_TOPIC = 'arn:aws:sns:eu-central-1:000000000000:seals;events'
AS
COPY INTO STAGING.SEALS_CDC (
    OP,
    LSN,
    SEAL_ID,
    COLOUR,
    CONTAINER_NO,
    _FILE,
    _SCANNED_AT
)
FROM (
    SELECT
        UPPER($1:op::VARCHAR),                                        -- c, u, d, r
        $1:source.lsn::NUMBER,
        COALESCE($1:after.seal_id, $1:before.seal_id)::NUMBER(38, 0),
        COALESCE($1:after.colour, $1:before.colour)::VARCHAR,
        COALESCE($1:after.container_no, $1:before.container_no)::VARCHAR,
        METADATA$FILENAME,
        METADATA$START_SCAN_TIME
    FROM @STAGING.KAFKA_STAGE/seals/
)
FILE_FORMAT = (TYPE = JSON);
