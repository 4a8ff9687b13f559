"""Which code a run had: every library and file counts, and the same code has the same digest."""

import importlib.metadata

from liberty.jobs.engine.code_seen import installed, made_of


def test_the_installed_libraries_are_those_python_knows() -> None:
    found = installed()
    assert found["sqlalchemy"] == importlib.metadata.version("sqlalchemy")
    assert found["typing-extensions"] == importlib.metadata.version("typing_extensions")
    known = {
        distribution.metadata["Name"].lower().replace("_", "-")
        for distribution in importlib.metadata.distributions()
    }
    assert {name.replace(".", "-") for name in found} >= {
        name.replace(".", "-") for name in known - {"nomaflow"}
    }


def test_a_digest_changes_with_every_part() -> None:
    one = made_of({"a.py": "1"}, {"x": "1"})
    assert one.digest == made_of({"a.py": "1"}, {"x": "1"}).digest
    others = [
        made_of({"a.py": "2"}, {"x": "1"}),
        made_of({"b.py": "1"}, {"x": "1"}),
        made_of({"a.py": "1"}, {"x": "2"}),
        made_of({"a.py": "1", "x": "1"}, {}),
        made_of({}, {}),
    ]
    assert one.digest not in {other.digest for other in others}
