"""A job's own text: found in its file, with a fingerprint that tells whether it is still the one that was seen."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liberty.errors import Conflict, NotFound
from liberty.jobs.service.drafts import one_job
from liberty.jobs.service.job_files import place_in
from liberty.toml_files import content_hash, parse_toml, pieces
from liberty.toml_files.document import read_text

REVISION_LENGTH = 16


def revision_of(text: str) -> str:
    """A fingerprint of a job's own text: it stays the same when other jobs of its file change."""
    return content_hash(text)[:REVISION_LENGTH]


def found(name: str, path: Path) -> tuple[str, int]:
    """The job's own text, and the line it begins at. Raises Conflict when the file has it no more."""
    try:
        text = read_text(path)
    except NotFound:
        text = ""
    own, piece = found_in(text, name, path)
    return own, piece.first + 1


def found_in(text: str, name: str, path: Path) -> tuple[str, pieces.Piece]:
    """The job's own text and its lines in the file's. Raises Conflict as `found`, and for parts that stand apart."""
    raw = parse_toml(text, file=str(path), environ={}).raw
    at = place_in(raw, name, path)
    if at is None:
        raise Conflict(
            f"{path.name} has no job {name!r} any more; it was taken out since the files were read"
        )
    piece = pieces.piece_of(text, ("jobs", at), count=len(raw["jobs"]))
    own = pieces.taken(text, piece)
    try:
        is_whole = tomllib.loads(own) == {"jobs": [raw["jobs"][at]]}
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Conflict(
            f"parts of job {name!r} stand apart from it in {path.name}; move them together in the file"
        )
    return own, piece


def raw_of(own: str) -> Mapping[str, Any]:
    """The table that a job's own text holds."""
    return one_job(tomllib.loads(own), "")


def name_of(own: str) -> str:
    """The name in a job's own text."""
    raw = raw_of(own)
    return str(raw.get("name", raw.get("id", "")))
