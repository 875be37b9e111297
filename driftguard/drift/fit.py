"""Does an actual Snowflake type take every value that a column can get, and if not, can ALTER make it?

Source of what ALTER can do: docs.snowflake.com "ALTER TABLE … ALTER COLUMN".
"""

from __future__ import annotations

import enum

from driftguard.model.snowflake import OLD_UNBOUNDED_VARCHAR, SfType


class Fit(enum.Enum):
    """`WIDEN` is one ALTER away; `REBUILD` needs a new column."""

    FITS = "fits"
    WIDEN = "widen"
    REBUILD = "rebuild"


def fit(actual: SfType, least: SfType) -> Fit:
    """Compare the type that is there with the narrowest that takes every value."""
    if actual.base != least.base:
        return Fit.REBUILD
    if actual.base == "VARCHAR":
        have, need = actual.length or 0, least.length or 0
        return Fit.FITS if have >= min(need, OLD_UNBOUNDED_VARCHAR) else Fit.WIDEN
    if actual.base == "BINARY":
        return Fit.FITS if (actual.length or 0) >= (least.length or 0) else Fit.REBUILD
    if actual.base == "NUMBER":
        return _number(actual, least)
    if least.precision is not None and (actual.precision or 0) < least.precision:
        return Fit.REBUILD
    return Fit.FITS


def _number(actual: SfType, least: SfType) -> Fit:
    have_scale, need_scale = actual.scale or 0, least.scale or 0
    digits = (least.precision or 38) - need_scale
    if have_scale < need_scale:
        return Fit.REBUILD
    if (actual.precision or 38) - have_scale >= digits:
        return Fit.FITS
    return Fit.WIDEN if 38 - have_scale >= digits else Fit.REBUILD


def widened(actual: SfType, ideal: SfType) -> SfType:
    """The type to widen `actual` to: the ideal one, at the scale that the column has and cannot change."""
    if actual.base == "NUMBER":
        return SfType("NUMBER", precision=38, scale=actual.scale)
    return ideal
