-- SSN and SALARY_WISH stay in STAGING: agreed with legal, do not add them here.
merge into final.applicants t
using (
    select op, applicant_id, job_id, stage, office
      from staging.applicants_cdc
   qualify row_number() over (partition by applicant_id order by commit_ts desc) = 1
) s
   on t.applicant_id = s.applicant_id
 when matched and s.op = 'D' then delete
 when matched then update
      set job_id = s.job_id
        , stage  = s.stage
        , office = s.office
 when not matched and s.op <> 'D' then
      insert ( applicant_id,   job_id,   stage,   office)
      values (s.applicant_id, s.job_id, s.stage, s.office);
