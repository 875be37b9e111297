merge into FINAL.PARCEL tgt
using (
	select _OP, _COMMIT_TS, _FILE, PARCEL_NO, DEPOT, LOCKER_CODE
	from STAGING.PARCEL_CDC
	qualify row_number() over (partition by PARCEL_NO order by _COMMIT_TS desc) = 1
) src
on tgt.PARCEL_NO = src.PARCEL_NO
when matched and src._OP = 'D' then delete
when matched and src._COMMIT_TS > tgt._COMMIT_TS then update set
	_LOADED = sysdate(), _COMMIT_TS = src._COMMIT_TS, _FILE = src._FILE,
	DEPOT = src.DEPOT, LOCKER_CODE = src.LOCKER_CODE
when not matched and src._OP <> 'D' then insert
	(_LOADED, _COMMIT_TS, _FILE, PARCEL_NO, DEPOT, LOCKER_CODE)
values
	(sysdate(), src._COMMIT_TS, src._FILE, src.PARCEL_NO, src.DEPOT, src.LOCKER_CODE);
