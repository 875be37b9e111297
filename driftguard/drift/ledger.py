"""The loss ledger: per column what is lost where, and what avoids it; equal losses of many columns are one entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from driftguard.emission.emit import CHOSEN
from driftguard.model.emission import Hop, Loss
from driftguard.model.identifiers import TableName
from driftguard.model.landing import Landing
from driftguard.model.loss import LossEntry
from driftguard.model.settings import DmsTask

Kind = tuple[Loss, str, str, str, bool, str]
_WHOLE = (Loss.LOSSY, Loss.UNKNOWN, Loss.NOT_DELIVERED)


def ledger(landings: Iterable[Landing], tasks: Iterable[DmsTask]) -> tuple[LossEntry, ...]:
    """All losses of `landings`, the worst first.

    Columns that a mapping rule leaves out on purpose are no loss; those that DMS cannot write are.
    """
    by_name = {task.name: task for task in tasks}
    found: dict[Kind, list[tuple[TableName, str]]] = defaultdict(list)
    known: dict[
        tuple[int, str], tuple[Kind, ...]
    ] = {}  # by the hops' id: equal columns share them, hashing them is slow
    for landing in landings:
        emission = landing.emissions[0]
        task = by_name[emission.source.task]
        for column in landing.final_columns:
            if column.source is None:
                continue
            key = (id(column.hops), task.name)
            if key not in known:
                known[key] = tuple(_kinds(column.hops, task))
            for kind in known[key]:
                found[kind].append((emission.source.table, column.source))
        for other in landing.emissions:
            for name, reason in other.dropped:
                if not reason.startswith(CHOSEN):
                    kind = (Loss.NOT_DELIVERED, "postgres_to_dms", "every value", reason, True, "")
                    found[kind].append((other.source.table, name))
    entries = (LossEntry(*kind, tuple(sorted(columns))) for kind, columns in found.items())
    return tuple(sorted(entries, key=lambda e: (-e.loss.rank, not e.documented, e.step, e.values, e.becomes, e.remedy)))


def _kinds(hops: tuple[Hop, ...], task: DmsTask) -> Iterator[Kind]:
    limits = {
        "over_lob_max_size": f" ({task.settings.lob_max_size_kb} KB)",
        "over_unbounded_varchar_max_size": f" ({task.endpoint.unbounded_varchar_max_size} bytes)",
    }
    for hop in hops:
        lost = [item for item in hop.special if not item.becomes.startswith("kept")]
        for item in lost:
            words = item.words + limits.get(item.key, "")
            yield Loss.LOSSY, hop.step, words, item.becomes, item.documented, hop.remedy
        if hop.loss in _WHOLE and not lost:
            yield hop.loss, hop.step, "every value", hop.note or "not known", hop.loss is not Loss.UNKNOWN, hop.remedy
