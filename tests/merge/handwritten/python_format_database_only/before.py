import os

MERGE_VANS = '''
    merge into {db}.FINAL.VANS v
    using (
        select OP, VAN_ID, PLATE
        from {db}.STAGING.VANS_CDC
        qualify row_number() over (partition by VAN_ID order by COMMIT_TS desc) = 1
    ) c
    on v.VAN_ID = c.VAN_ID
    when matched and c.OP = 'D' then delete
    when matched then update set v.PLATE = c.PLATE
    when not matched and c.OP <> 'D' then insert (VAN_ID, PLATE)
        values (c.VAN_ID, c.PLATE);
'''


def main(cursor) -> None:
    cursor.execute(MERGE_VANS.format(db=os.environ["SNOWFLAKE_DATABASE"]))
