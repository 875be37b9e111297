MERGE INTO FINAL.CONTACTS c
USING (
    SELECT MD5(LOWER(email) || '|' || tenant) AS contact_key, op, email, tenant, full_name, job_title
    FROM STAGING.CONTACTS_CDC
    QUALIFY ROW_NUMBER() OVER (PARTITION BY LOWER(email), tenant ORDER BY commit_ts DESC) = 1
) s
ON c.contact_key = s.contact_key
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET c.email = s.email, c.full_name = s.full_name, c.job_title = s.job_title
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (contact_key, email, tenant, full_name, job_title)
    VALUES (s.contact_key, s.email, s.tenant, s.full_name, s.job_title);
