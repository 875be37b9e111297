MERGE /* ports */ INTO
    FINAL.PORTS   P
USING
(
    SELECT  OP   ,
            PORT_ID   ,

            NAME   ,
            DEPTH   
    FROM    STAGING.PORTS_CDC
    QUALIFY ROW_NUMBER()
            OVER (PARTITION BY PORT_ID ORDER BY COMMIT_TS DESC) = 1
)   S
ON
(
    P.PORT_ID = S.PORT_ID
)
WHEN -- gone
MATCHED AND S.OP = 'D' THEN
    DELETE

WHEN MATCHED /* changed */ THEN
    UPDATE
    SET NAME   = S.NAME   ,
        DEPTH  = S.DEPTH

WHEN NOT /* new */ MATCHED AND S.OP <> 'D' THEN
    INSERT
    (
        PORT_ID   ,
        NAME   ,
        DEPTH
    )
    VALUES
    (
        S.PORT_ID   ,
        S.NAME   ,
        S.DEPTH
    )
;
