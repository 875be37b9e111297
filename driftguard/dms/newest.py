"""Which file of a table is the newest: by time of writing for a full load, by name for CDC.

Source: AWS DMS User Guide, "Using Amazon S3 as a target for AWS DMS": full-load files `LOAD0000000A.parquet`, with
parallel load in a folder for each partition or with the prefix `SEGMENTn_`; CDC files `yyyymmdd-hhmmssfff.parquet`,
with date-based folder partitioning in a folder of their commit date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from driftguard.dms.store import File, Store
from driftguard.model.settings import EndpointSettings

LOAD = re.compile(r"(?:SEGMENT\d+_)?LOAD[0-9A-F]+\.parquet", re.IGNORECASE)
CDC = re.compile(r"\d{8}-\d{6,9}[^/]*\.parquet")
_DATED = re.compile(r"\d[\d_-]*")
_LOAD_PAGES = 10
_FOLDERS = 40  # folders that one search looks into
_STEPS = 40
_DAYS = 40


def newest_load(store: Store, folder: str) -> tuple[File | None, str]:
    """The full-load file written last, and a remark where the listing was cut. Raises `Refused`."""
    found: list[File] = []
    cut = False
    for begins in ("LOAD", "SEGMENT"):
        page = store.listing(folder, begins=begins, pages=_LOAD_PAGES)
        found += [f for f in page.files if LOAD.fullmatch(f.name)]
        cut = cut or page.cut
    if not found:
        level = store.listing(folder, pages=_LOAD_PAGES)
        inside = [name for name in level.folders if not _DATED.fullmatch(name)]
        cut = level.cut or len(inside) > _FOLDERS
        for name in inside[:_FOLDERS]:
            page = store.listing(f"{folder}{name}/", begins="LOAD", pages=_LOAD_PAGES)
            found += [f for f in page.files if LOAD.fullmatch(f.name)]
            cut = cut or page.cut
    remark = "the listing was cut: there may be a newer full-load file" if cut else ""
    return max(found, key=lambda f: (f.modified, f.path), default=None), remark


def newest_cdc(store: Store, folder: str, endpoint: EndpointSettings, now: datetime) -> tuple[File | None, str]:
    """The CDC file with the last name, and a remark where the search was cut. Raises `Refused`."""
    remark = ""
    for place in _places(store, folder, endpoint, now):
        if place is None:
            remark = f"only {_FOLDERS} folders were looked into: there may be a newer CDC file"
            break
        file, cut = _last(store, place, now)
        if file is not None:
            return file, "the listing was cut: there may be a newer CDC file" if cut else ""
    return None, remark


def _places(store: Store, folder: str, endpoint: EndpointSettings, now: datetime) -> Iterator[str | None]:
    """The folders that can hold CDC files, the newest date first; None where there are too many to look into all."""
    if not endpoint.date_partition_enabled:
        yield folder
    sequence = endpoint.date_partition_sequence
    slashed = endpoint.date_partition_delimiter == "SLASH"
    if endpoint.date_partition_enabled and slashed and not sequence.startswith("YYYY"):
        # 31/12/2026 does not sort: the days are asked for one by one
        parts = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H"}
        form = "/".join(parts[name] for name in re.findall("YYYY|MM|DD|HH", sequence))
        for days in range(-1, _DAYS):
            yield f"{folder}{(now - timedelta(days=days)).strftime(form)}/"
        yield None
    looked = 0
    waiting = [folder]
    while waiting:
        if looked == _FOLDERS:
            yield None
            return
        place = waiting.pop()
        looked += 1
        names = [name for name in store.listing(place).folders if _DATED.fullmatch(name)]
        if place != folder and not names:
            yield place
        waiting += [f"{place}{name}/" for name in sorted(names, key=lambda n: _date(n, sequence, slashed))]
    if endpoint.date_partition_enabled:
        yield folder  # written before the setting


def _date(name: str, sequence: str, slashed: bool) -> tuple[str, ...]:
    """A folder's name so that it sorts by date: `22_11_2026` under DDMMYYYY as 2026, 11, 22."""
    if slashed:
        return (name,)
    digits = re.sub(r"\D", "", name)
    fields: dict[str, str] = {}
    for field in re.findall("YYYY|MM|DD|HH", sequence):
        fields[field], digits = digits[: len(field)], digits[len(field) :]
    return tuple(fields.get(field, "") for field in ("YYYY", "MM", "DD", "HH"))


def _last(store: Store, folder: str, now: datetime) -> tuple[File | None, bool]:
    """The last CDC name of one folder. Looks back twice as far each time, so that one page holds the end of the list;
    where a page is cut all the same, halves what is left."""
    empty_after = now + timedelta(days=2)  # nothing behind it
    window = timedelta(hours=1)
    after: datetime | None = now - window
    best: File | None = None
    for _ in range(_STEPS):
        page = store.listing(folder, begins="2", after=_name(after) if after else "")
        names = [f for f in page.files if CDC.fullmatch(f.name)]
        if names:
            best = max(names, key=lambda f: f.name)
        if page.cut and page.files:
            start = _time(page.files[-1].name) or after or datetime(2000, 1, 1, tzinfo=UTC)
            if empty_after - start < timedelta(seconds=2):
                return best, True
            after = start + (empty_after - start) / 2
        elif best is not None and not names:
            empty_after = after or empty_after
            start = _time(best.name) or datetime(2000, 1, 1, tzinfo=UTC)
            if empty_after - start < timedelta(seconds=2):
                return best, True
            after = start + (empty_after - start) / 2
        elif best is not None:
            return best, False
        elif after is None:
            return None, page.cut
        else:
            empty_after, window = after, window * 4
            after = now - window if window < timedelta(days=4000) else None
    return best, True


def _name(moment: datetime) -> str:
    return f"{moment:%Y%m%d-%H%M%S}"


def _time(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def every(store: Store, folder: str) -> list[File]:
    """All Parquet files below a folder that holds few, as the probe's do. Raises `Refused`."""
    found: list[File] = []
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        page = store.listing(place, pages=_LOAD_PAGES)
        found += [f for f in page.files if LOAD.fullmatch(f.name) or CDC.fullmatch(f.name)]
        waiting += [f"{place}{name}/" for name in page.folders]
    return found
