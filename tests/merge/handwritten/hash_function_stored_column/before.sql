merge into HR.EMPLOYEE t
using (
    select
        OP,
        EMP_NO,
        LAST_NAME,
        DEPT_NO,
        GRADE,
        hash(LAST_NAME, DEPT_NO, GRADE) as ROW_HASH
    from STAGING.EMPLOYEE_CDC
    qualify row_number() over (partition by EMP_NO order by COMMIT_TS desc) = 1
) s
on t.EMP_NO = s.EMP_NO
when matched and s.OP = 'D' then delete
when matched and t.ROW_HASH <> s.ROW_HASH then update set
    t.LAST_NAME = s.LAST_NAME,
    t.DEPT_NO = s.DEPT_NO,
    t.GRADE = s.GRADE,
    t.ROW_HASH = s.ROW_HASH,
    t.LOADED_AT = current_timestamp()
when not matched and s.OP <> 'D' then insert
    (EMP_NO, LAST_NAME, DEPT_NO, GRADE, ROW_HASH, LOADED_AT)
values
    (s.EMP_NO, s.LAST_NAME, s.DEPT_NO, s.GRADE, s.ROW_HASH, current_timestamp());
