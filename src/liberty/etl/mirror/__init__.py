"""Keeping a table like a list that somebody else owns: what is new and changed is written, what has gone is deleted."""

from liberty.etl.mirror.flow import look, mirror, names_of_target
from liberty.etl.mirror.request import Entry, Failure, MirrorOutcome, MirrorRequest

__all__ = ["Entry", "Failure", "MirrorOutcome", "MirrorRequest", "look", "mirror", "names_of_target"]
