"""A stand-in for AWS DMS: full load and change data capture from a real PostgreSQL into Parquet files.

It is not DMS. What it writes follows the AWS DMS User Guide row by row (`values.py` cites them); where AWS says
nothing, `Switches` names the possible behaviours.
"""

from driftguard.sandbox.dms.reports import Counts, StartReport, SyncReport
from driftguard.sandbox.dms.switches import Switches
from driftguard.sandbox.dms.task import DmsStandIn

__all__ = ["Counts", "DmsStandIn", "StartReport", "Switches", "SyncReport"]
