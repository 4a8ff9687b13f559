"""The one table of spellings that are read but never written."""

from collections.abc import Mapping
from typing import Any

JOB_KEYS = {"id": "name", "dependencies": "depends_on", "notifications": "alerts"}
STEP_KEYS = {
    "id": "name",
    "kwargs": "op_kwargs",
    "chunk_size": "batch_size",
    "target_job_id": "target_job",
}
RETRY_KEYS = {"max_attempts": "attempts", "initial_delay_seconds": "base_seconds"}
BACKOFF_WORDS: dict[str, dict[str, Any]] = {
    "constant": {"backoff": "fixed"},
    "none": {"backoff": "fixed", "base_seconds": 0},
}
"""Spellings of `backoff`, with the settings they stand for."""


def read_aliases(
    table: Mapping[str, Any], aliases: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str], list[tuple[str, str]]]:
    """`table` under the written keys, which key each renamed one was written as, and the contradictions.

    A contradiction is (written key, message): both spellings given, with different values.
    """
    read: dict[str, Any] = {}
    written_as: dict[str, str] = {}
    contradictions: list[tuple[str, str]] = []
    for key, value in table.items():
        name = aliases.get(key, key)
        if name in read and read[name] != value:
            contradictions.append(
                (key, f"{key!r} and {written_as.get(name, name)!r} mean the same and differ; keep {name!r}")
            )
            continue
        read.setdefault(name, value)
        if name != key:
            written_as[name] = key
    return read, written_as, contradictions


def read_backoff(retry: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """`retry` with an alias of `backoff` spelled out, and a message when that contradicts another key."""
    meaning = BACKOFF_WORDS.get(str(retry.get("backoff")).lower()) if "backoff" in retry else None
    if meaning is None:
        return retry, None
    delay = retry.get("base_seconds")
    contradiction = None
    if "base_seconds" in meaning and delay not in (None, meaning["base_seconds"]):
        contradiction = (
            f"backoff {retry['backoff']!r} means no delay, but base_seconds is {delay!r}; drop one"
        )
    return {**retry, **meaning}, contradiction
