merge into FINAL.JOBS f
using (
    select
        j.OP,
        j.JOB_ID,
        j.SITE_ID,
        j.TITLE,
        j.SENIORITY,
        s.NAME as SITE_NAME
    from STAGING.JOBS_CDC j
    left join FINAL.SITES s on s.SITE_ID = j.SITE_ID
    qualify row_number() over (partition by j.JOB_ID order by j.COMMIT_TS desc) = 1
) n
on f.JOB_ID = n.JOB_ID
when matched and n.OP = 'D' then delete
when matched then update set
    f.SITE_ID = n.SITE_ID,
    f.TITLE = n.TITLE,
    f.SENIORITY = n.SENIORITY,
    f.SITE_NAME = n.SITE_NAME
when not matched and n.OP <> 'D' then insert
    (JOB_ID, SITE_ID, TITLE, SENIORITY, SITE_NAME)
values
    (n.JOB_ID, n.SITE_ID, n.TITLE, n.SENIORITY, n.SITE_NAME);
