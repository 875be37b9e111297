CREATE OR REPLACE PROCEDURE OPS.SP_GRADES(ENV VARCHAR)
  RETURNS VARCHAR
  LANGUAGE JAVASCRIPT
AS
$$
  const db = ENV === 'prod' ? 'UNI_PROD' : 'UNI_DEV';
  const merge = `
    merge into ${db}.FINAL.GRADES g
    using (
      select OP, STUDENT_ID, COURSE, GRADE
      from ${db}.STAGING.GRADES_CDC
      qualify row_number() over (partition by STUDENT_ID, COURSE order by COMMIT_TS desc) = 1
    ) c
    on g.STUDENT_ID = c.STUDENT_ID and g.COURSE = c.COURSE
    when matched and c.OP = 'D' then delete
    when matched then update set g.GRADE = c.GRADE
    when not matched and c.OP <> 'D' then insert (STUDENT_ID, COURSE, GRADE)
      values (c.STUDENT_ID, c.COURSE, c.GRADE)`;
  snowflake.createStatement({ sqlText: merge }).execute();
  return 'done';
$$;
