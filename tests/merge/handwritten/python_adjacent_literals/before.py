SQL = (
    "merge into FINAL.KEYS k "
    "using (select OP, KEY_ID, OWNER "
    "from STAGING.KEYS_CDC "
    "qualify row_number() over (partition by KEY_ID order by COMMIT_TS desc) = 1) c "
    "on k.KEY_ID = c.KEY_ID "
    "when matched and c.OP = 'D' then delete "
    "when matched then update set k.OWNER = c.OWNER "
    "when not matched and c.OP <> 'D' then insert (KEY_ID, OWNER) "
    "values (c.KEY_ID, c.OWNER)"
)


def run(cursor):
    cursor.execute(SQL)
