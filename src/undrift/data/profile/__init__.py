"""What a table is like: counted, drawn and told from one scan of it."""

from undrift.data.profile.facts import QUANTILES, Association, ColumnProfile, Histogram, Profile, TextShape
from undrift.data.profile.scan import profile

__all__ = ["QUANTILES", "Association", "ColumnProfile", "Histogram", "Profile", "TextShape", "profile"]
