CREATE OR REPLACE PROCEDURE FINAL.SP_ACCOUNTS()
RETURNS STRING
LANGUAGE JAVASCRIPT
EXECUTE AS CALLER
AS
$$
// merge of accounts; one statement, no parameters
var sql = `
    MERGE INTO FINAL.ACCOUNTS A
    USING (
        SELECT OP, ACCOUNT_ID, OWNER, STATUS, RISK_CLASS
        FROM STAGING.ACCOUNTS_CDC
        QUALIFY ROW_NUMBER() OVER (PARTITION BY ACCOUNT_ID ORDER BY COMMIT_TS DESC) = 1
    ) C
    ON A.ACCOUNT_ID = C.ACCOUNT_ID
    WHEN MATCHED AND C.OP = 'D' THEN DELETE
    WHEN MATCHED THEN UPDATE SET
        A.OWNER = C.OWNER,
        A.STATUS = C.STATUS,
        A.RISK_CLASS = C.RISK_CLASS,
        A.LOAD_TS = CURRENT_TIMESTAMP()
    WHEN NOT MATCHED AND C.OP <> 'D' THEN
        INSERT (ACCOUNT_ID, OWNER, STATUS, RISK_CLASS, LOAD_TS)
        VALUES (C.ACCOUNT_ID, C.OWNER, C.STATUS, C.RISK_CLASS, CURRENT_TIMESTAMP())
`;
try {
    var rs = snowflake.execute({ sqlText: sql });
    rs.next();
    return "inserted " + rs.getColumnValue(1) + "; updated " + rs.getColumnValue(2);
} catch (e) {
    return "failed: " + e.message;
}
$$;
