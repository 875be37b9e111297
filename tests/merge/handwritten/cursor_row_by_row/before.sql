create or replace procedure FINAL.P_METRICS()
returns integer
language sql
as
$$
declare
    done integer default 0;
    c cursor for select OP, METRIC_ID, VAL from STAGING.METRICS_CDC order by COMMIT_TS;
begin
    for r in c do
        let v_op varchar := r.OP;
        let v_id number := r.METRIC_ID;
        let v_val float := r.VAL;
        if (v_op = 'D') then
            delete from FINAL.METRICS where METRIC_ID = :v_id;
        else
            update FINAL.METRICS set VAL = :v_val where METRIC_ID = :v_id;
            if (sqlrowcount = 0) then
                insert into FINAL.METRICS (METRIC_ID, VAL) values (:v_id, :v_val);
            end if;
        end if;
        done := done + 1;
    end for;
    return done;
end;
$$;
