"""For programs. `version` is 1; keys are only ever added. The schema is docs/schema/check.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from driftguard.model.finding import Finding
from driftguard.model.observed import Footer, Look, NotSeen
from driftguard.render.report import Report

VERSION = 1


def check(report: Report) -> str:
    """A check as one JSON document."""
    return document(
        {
            "verdict": report.verdict,
            "source": report.source,
            "target": report.target,
            "findings": [finding(item) for item in report.findings],
            "losses": [
                {
                    "loss": entry.loss.value,
                    "step": entry.step,
                    "values": entry.values,
                    "becomes": entry.becomes,
                    "documented": entry.documented,
                    "remedy": entry.remedy,
                    "columns": [
                        {"schema": table.schema, "table": table.name, "column": column}
                        for table, column in entry.columns
                    ],
                }
                for entry in report.losses
            ],
            "summary": {
                **report.counts,
                "tables": report.tables,
                "waived": report.waived,
                "failing": report.failing,
            },
            "observed": look(report.look) if report.look else None,
        }
    )


def look(item: Look) -> dict[str, Any]:
    """What was seen on the lake, file by file."""
    return {
        "lake": item.lake,
        "looked_at": item.at,
        "folders": [
            {"path": folder.path, "full_load": _file(folder.full_load), "cdc": _file(folder.cdc)}
            for folder in item.folders
        ],
    }


def _file(seen: Footer | NotSeen) -> dict[str, Any]:
    if isinstance(seen, NotSeen):
        return {"not_seen": seen.reason}
    return {
        "file": seen.path,
        "rows": seen.rows,
        "modified": seen.modified,
        "created_by": seen.created_by,
        "note": seen.note,
        "columns": [
            {"name": c.name, "type": c.parquet_type or None, "raw": c.raw, "nullable": c.nullable, "note": c.note}
            for c in seen.columns
        ],
    }


def finding(item: Finding) -> dict[str, Any]:
    place = item.place
    return {
        "id": item.id,
        "code": item.code,
        "severity": item.severity.value,
        "table": {"schema": item.table.schema, "name": item.table.name} if item.table else None,
        "column": item.column,
        "message": item.message,
        "reason": item.reason,
        "remedy": item.remedy,
        "place": {
            "system": place.system,
            "object": place.object,
            "file": place.file,
            "line": place.line,
            "column": place.column,
        }
        if place
        else None,
    }


def document(content: Mapping[str, Any]) -> str:
    """Any result, with the version in front."""
    return json.dumps({"version": VERSION, **content}, indent=2, ensure_ascii=False) + "\n"
