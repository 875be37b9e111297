"""DG402: the S3 target does not write Parquet, or writes it in a way this pipeline cannot load."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.model.finding import Finding, Place, Severity

CODE = "DG402"
TITLE = "the S3 target does not write Parquet, or writes it in a way this pipeline cannot load"
SEVERITY = Severity.ERROR


def find(context: Context) -> Iterator[Finding]:
    for task in context.tasks:
        s3 = task.endpoint
        wrong = []
        if s3.data_format.lower() != "parquet":
            wrong.append(f"DataFormat is {s3.data_format}")
        if s3.preserve_transactions:
            wrong.append("PreserveTransactions writes CSV, all tables mixed")
        if s3.cdc_path:
            wrong.append("CdcPath moves CDC files out of the table folders")
        for what in wrong:
            yield Finding(
                CODE,
                SEVERITY,
                f"DMS task {task.name}: {what}",
                "the pipes load Parquet from one folder a table",
                "change the S3 settings of the target endpoint",
                place=Place("dms", task.name),
            )
