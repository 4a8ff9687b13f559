"""What crosses between a step's process and the engine: plain data, exactly; nothing that could be code."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from liberty.jobs.engine import step_wire
from liberty.settings import load_settings


def test_values_arrive_as_they_left() -> None:
    value = {
        "plain": [None, True, 1, 2.5, "ü", "\ud800", 10**30, float("inf")],
        "tuple": (1, (2,)),
        "when": [date(2026, 3, 1), timedelta(seconds=1.5), Decimal("1.10"), b"\x00\xff"],
        3: "a key that is no text",
        "$": {"$": "dict", "v": 1},
    }
    assert step_wire.read_line(step_wire.line_of(step_wire.pack(value))) == value
    with pytest.raises(TypeError, match="object"):
        step_wire.pack([object()])


def test_what_was_not_written_by_the_other_side_is_refused() -> None:
    for line in (b"{", b'{"$": "eval", "v": "1"}', b'{"$": "Decimal"}', b'{"$": "StepRun", "v": {"x": 1}}'):
        with pytest.raises(ValueError):
            step_wire.read_line(line)


def test_settings_arrive_as_they_were_with_their_keys(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "app.toml").write_text(
        '[jobs]\nsync_threads = 5\n[crypto]\nmaster_key = "0123456789abcdef0123456789abcdef"\n'
        '[default_pool]\nurl = "postgresql+asyncpg://bob:hush-hush@db.example/x"\n'
    )
    settings = load_settings({"A": "1"}, cwd=tmp_path)
    line = step_wire.line_of(step_wire.pack_settings(settings))
    assert step_wire.unpack_settings(step_wire.read_line(line)) == settings
