merge into FINAL.MOVES t
using (
    select OP
         , MOVE_ID   -- key
         , FROM_BIN  -- null: goods in
         , TO_BIN    -- null: goods out
         , MOVED_BY
    from STAGING.MOVES_CDC
    qualify row_number() over (partition by MOVE_ID order by COMMIT_TS desc) = 1
) s
on t.MOVE_ID = s.MOVE_ID
when matched and s.OP = 'D' then delete
when matched then update set
      FROM_BIN = s.FROM_BIN -- a;
    , TO_BIN = s.TO_BIN     -- b;
    , MOVED_BY = s.MOVED_BY
when not matched and s.OP <> 'D' then insert (
      MOVE_ID
    , FROM_BIN
    , TO_BIN // the end
    , MOVED_BY
) values (
      s.MOVE_ID
    , s.FROM_BIN
    , s.TO_BIN /* the end */
    , s.MOVED_BY
);
