"""connectors.toml as text: secrets masked and kept, errors at their lines, nothing written that is not right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server, lay_out, serving

CONNECTORS = """\
# where orders are kept
[pools.default]
url = "sqlite:///data/nomaflow.db"

[connectors.mail]
type = "api"
base_url = "https://mail.example"
auth_type = "bearer"
auth_token = "hush-hush-42"  # rotated each May
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Server]:
    with serving(lay_out(tmp_path, connectors=CONNECTORS)) as server:
        yield server


def put(server: Server, text: str, hash_: str) -> tuple[int, dict[str, Any]]:
    answer = server.root.put("/admin/files/connectors", json={"text": text, "hash": hash_})
    return answer.status_code, answer.json()


def test_a_secret_is_masked_and_kept_when_its_mask_is_left_alone(opened: Server) -> None:
    seen = opened.root.get("/admin/files/connectors").json()
    assert "hush-hush-42" not in seen["text"]
    assert 'auth_token = "***"  # rotated each May' in seen["text"]
    assert seen["problems"] == []

    status, saved = put(opened, seen["text"].replace("mail.example", "post.example"), seen["hash"])

    assert status == 200
    assert "hush-hush-42" not in saved["text"]
    text = (opened.config / "connectors.toml").read_text()
    assert "https://post.example" in text
    assert 'auth_token = "hush-hush-42"  # rotated each May' in text
    assert text.startswith("# where orders are kept\n")


def test_a_new_secret_is_encrypted_on_its_way_into_the_file(opened: Server) -> None:
    seen = opened.root.get("/admin/files/connectors").json()
    status, saved = put(opened, seen["text"].replace('"***"', '"brand-new-secret"'), seen["hash"])
    assert status == 200
    assert "brand-new-secret" not in saved["text"]
    assert "brand-new-secret" not in (opened.config / "connectors.toml").read_text()


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ('[pools.other]\nurll = "sqlite://"\n', 12),
        ("[pools.other\n", 11),
        ('[connectors.new]\ntype = "api"\nbase_url = "https://x.example"\nauth_token = "***"\n', None),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_nothing_is_written(
    opened: Server, added: str, line: int | None
) -> None:
    seen = opened.root.get("/admin/files/connectors").json()
    before = (opened.config / "connectors.toml").read_text()
    text = f"{seen['text']}\n{added}"
    checked = opened.root.post("/admin/files/connectors/check", json={"text": text}).json()
    assert not checked["ok"]
    assert line is None or line in [problem["line"] for problem in checked["problems"]]
    status, refused = put(opened, text, seen["hash"])
    assert status == 422
    assert refused["problems"] == checked["problems"]
    assert (opened.config / "connectors.toml").read_text() == before


def test_a_file_that_was_changed_meanwhile_is_not_written_over(opened: Server) -> None:
    seen = opened.root.get("/admin/files/connectors").json()
    path = opened.config / "connectors.toml"
    path.write_text(path.read_text() + "# by hand\n")
    status, refused = put(opened, seen["text"], seen["hash"])
    assert status == 409
    assert "was changed since" in refused["detail"]
    assert path.read_text().endswith("# by hand\n")
