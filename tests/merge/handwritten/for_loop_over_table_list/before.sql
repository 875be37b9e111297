CREATE OR REPLACE PROCEDURE OPS.MERGE_ALL()
RETURNS VARCHAR
LANGUAGE SQL
AS
$$
DECLARE
    tpl VARCHAR DEFAULT 'MERGE INTO FINAL.#T# t USING STAGING.V_#T#_LATEST s ON t.ID = s.ID WHEN MATCHED AND s.OP = ''D'' THEN DELETE WHEN MATCHED THEN UPDATE SET #SET# WHEN NOT MATCHED AND s.OP <> ''D'' THEN INSERT (#COLS#) VALUES (#VALS#)';
    c CURSOR FOR SELECT table_name, set_list, col_list, val_list FROM OPS.LANDING_TABLES WHERE active ORDER BY sort_no;
    done INTEGER DEFAULT 0;
BEGIN
    FOR r IN c DO
        LET q VARCHAR := REPLACE(REPLACE(REPLACE(REPLACE(tpl, '#T#', r.table_name), '#SET#', r.set_list), '#COLS#', r.col_list), '#VALS#', r.val_list);
        EXECUTE IMMEDIATE :q;
        done := done + 1;
    END FOR;
    RETURN done || ' tables';
END;
$$;
