CREATE OR REPLACE PROCEDURE FINAL.MERGE_MACHINES()
RETURNS STRING
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python')
HANDLER = 'main'
AS
$$
MERGE = """
merge into FINAL.MACHINES m
using (
    select
        OP,
        MACHINE_ID,
        HALL,
        VENDOR,
        COMMISSIONED_ON
    from STAGING.MACHINES_CDC
    qualify row_number() over (partition by MACHINE_ID order by COMMIT_TS desc) = 1
) c
on m.MACHINE_ID = c.MACHINE_ID
when matched and c.OP = 'D' then delete
when matched then update set
    HALL = c.HALL,
    VENDOR = c.VENDOR,
    COMMISSIONED_ON = c.COMMISSIONED_ON
when not matched and c.OP <> 'D' then insert (
    MACHINE_ID,
    HALL,
    VENDOR,
    COMMISSIONED_ON
) values (
    c.MACHINE_ID,
    c.HALL,
    c.VENDOR,
    c.COMMISSIONED_ON
)
"""


def main(session):
    # collect() runs it; the row holds the counts
    row = session.sql(MERGE).collect()[0]
    return f"{row[0]} inserted; {row[1]} updated"
$$;
