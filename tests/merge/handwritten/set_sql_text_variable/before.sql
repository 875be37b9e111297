set cols = 'LOGIN_ID, USER_NAME';
set stmt = (select 'insert overwrite into FINAL.LOGINS (' || $cols || ') select ' || $cols
            || ' from STAGING.LOGINS_CDC where OP <> ''D'' qualify row_number() over (partition by LOGIN_ID order by COMMIT_TS desc) = 1');
execute immediate $stmt;
