SET tgt = 'FINAL.TEAMS';
SET src = 'STAGING.TEAMS_CDC';

MERGE INTO IDENTIFIER($tgt) t
USING (
    SELECT op, team_id, team_name
    FROM IDENTIFIER($src)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY commit_ts DESC) = 1
) s
ON t.team_id = s.team_id
WHEN MATCHED AND s.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET t.team_name = s.team_name
WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (team_id, team_name) VALUES (s.team_id, s.team_name);

UNSET (tgt, src);
