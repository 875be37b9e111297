"""DG310: a change is under way."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.drift.context import Context
from driftguard.drift.rules._common import on_snowflake, source_table
from driftguard.drift.rules._pipes import reads_folder, second
from driftguard.model.finding import Finding, Severity

CODE = "DG310"
TITLE = "a change is under way"
SEVERITY = Severity.INFO


def find(context: Context) -> Iterator[Finding]:
    yield from _folders(context)
    known = {m.name for m in context.estate.milestones}
    for pair in context.pairs:
        for marker in dict.fromkeys(c.marker for c in pair.under_way if c.marker):
            columns = [c.becomes or c.final for c in pair.under_way if c.marker == marker and not c.retires]
            passed = "its marker has passed" if marker in known else "its marker has not passed yet"
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.final}: {', '.join(columns)} of {marker} under way; {passed}",
                "the merge reads files of before the change and of after it; readers of FINAL see the old column until "
                "the change is complete",
                "after the Aurora deploy run `driftguard apply --phase settle`, then `--phase contract`",
                table=source_table(pair.landing),
                place=on_snowflake(pair.landing.task),
            )


def _folders(context: Context) -> Iterator[Finding]:
    for pair in context.pairs:
        other = second(pair)
        if pair.pipe is not None and other is not None and not reads_folder(pair.pipe, pair.landing):
            yield Finding(
                CODE,
                SEVERITY,
                f"{pair.landing.staging}: {pair.landing.path} is loaded by {other.name}, the folder of before by "
                f"{pair.pipe.name}",
                "both are needed until nothing comes from the old folder any more",
                "after the Aurora deploy run `driftguard apply --phase settle`, then `--phase contract`",
                table=source_table(pair.landing),
                place=on_snowflake(pair.pipe.name),
            )
