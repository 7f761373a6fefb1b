"""How each column is handled, in words."""

from __future__ import annotations

from collections.abc import Mapping

from undrift.evaluation.features import Feature, FeatureKind, Features, word_places

_WITHOUT_FILLING = ("gradient_boosting", "lightgbm")
_WHAT: Mapping[FeatureKind, str] = {
    "number": "number",
    "bool": "true or false",
    "category": "category",
    "date": "date: year, month, day, weekday, days since 1970, those that vary",
    "datetime": "instant: year, month, day, weekday, hour (UTC), days since 1970, those that vary",
    "text": "text",
}


def column_handling(features: Features, candidate: str = "") -> dict[str, str]:
    """Return for each column learnt from how it is handled, in words.

    Parameters
    ----------
    features : Features
        The columns.
    candidate : str
        The kind of model; without one the words hold for all of them.
    """
    places = word_places(len(features.of_kind("text")))
    return {feature.name: ", ".join(_words(feature, candidate, places)) for feature in features.used}


def _words(feature: Feature, candidate: str, places: int) -> list[str]:
    whole = "whole " if feature.kind == "number" and feature.integer else ""
    words = [whole + _WHAT[feature.kind]]
    if feature.kind == "category":
        words.append("one column for each frequent text, the others pooled")
    if feature.kind == "text":
        words.append(f"words hashed into {places} columns, none of them is stored")
    if feature.missing_share:
        words.append(f"{_share(feature.missing_share)} missing{_filled(feature.kind, candidate)}")
    if feature.tells_missing:
        words.append("and whether it is missing")
    if feature.kind in ("number", "date", "datetime"):
        words.extend(_scaled(candidate))
    return words


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 else "under 0.1%"  # noqa: PLR2004 - what one decimal can show


def _filled(kind: FeatureKind, candidate: str) -> str:
    if kind not in ("number", "date", "datetime"):
        return " (pooled with the rare)" if kind == "category" else " (all zeros)"
    if candidate in _WITHOUT_FILLING:
        return " (taken as such)"
    return " filled with the median" + ("" if candidate else " (boosting takes them as such)")


def _scaled(candidate: str) -> list[str]:
    if candidate == "linear":
        return ["scaled"]
    return [] if candidate else ["scaled for the linear model"]
