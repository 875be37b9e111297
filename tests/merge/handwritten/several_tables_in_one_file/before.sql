-- 1 ------------------------------------------------------------ groups
merge into final.groups t
using (select op, id, name from staging.groups_cdc qualify row_number() over (partition by id order by commit_ts desc) = 1) s
on t.id = s.id
when matched and s.op = 'D' then delete
when matched then update set t.name = s.name
when not matched and s.op <> 'D' then insert (id, name) values (s.id, s.name);

-- 2 ------------------------------------------------------------ roles
merge into final.roles t
using (select op, id, name from staging.roles_cdc qualify row_number() over (partition by id order by commit_ts desc) = 1) s
on t.id = s.id
when matched and s.op = 'D' then delete
when matched then update set t.name = s.name
when not matched and s.op <> 'D' then insert (id, name) values (s.id, s.name);

-- 3 ------------------------------------------------------------ roles of another system
merge into legacy.roles t
using (select op, id, name from staging_legacy.roles_cdc qualify row_number() over (partition by id order by commit_ts desc) = 1) s
on t.id = s.id
when matched and s.op = 'D' then delete
when matched then update set t.name = s.name
when not matched and s.op <> 'D' then insert (id, name) values (s.id, s.name);
