"""Which files a job may reach, and that one being written takes its place as a whole."""

import os
from pathlib import Path

import pytest

from liberty.connectors.file_folders import FileFolders
from liberty.errors import Invalid, NotFound
from liberty.settings.sections import JobsSettings


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    folder = tmp_path / "open"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b.csv").write_text("inside")
    (tmp_path / "secret.csv").write_text("outside")
    return folder


def url(path: object) -> str:
    return f"file://{path}"


def test_a_file_below_an_open_folder_is_read(opened: Path) -> None:
    for written in (f"file://{opened}/deep/a%20b.csv", f"file://localhost{opened}/deep/a b.csv"):
        with FileFolders([opened]).place(written).open() as file:
            assert file.read() == b"inside"


def test_without_an_open_folder_the_setting_is_named(opened: Path) -> None:
    with pytest.raises(
        Invalid, match=r"list its folder in \[jobs\] file_folders of app.toml \(open now: none\)"
    ):
        FileFolders().place(url(opened / "deep/a b.csv"))


@pytest.mark.parametrize(
    "path", ["/../secret.csv", "/deep/../../secret.csv", "/%2e%2e/secret.csv", "//x", "/./x", "/x%00"]
)
def test_what_is_no_plain_path_is_refused(opened: Path, path: str) -> None:
    with pytest.raises(Invalid, match="is no plain path"):
        FileFolders([opened]).place(f"file://{opened}{path}")


@pytest.mark.parametrize(
    "text", ["x.csv", "/data/x.csv", "http://host/x.csv", "file://host/x.csv", "file:///x?a", ""]
)
def test_what_is_no_file_url_is_refused(opened: Path, text: str) -> None:
    with pytest.raises(Invalid, match="is no file: write file://"):
        FileFolders([opened]).place(text)


def test_a_folder_that_only_begins_alike_is_another_one(opened: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "opened" / "x.csv", tmp_path / "secret.csv", opened):
        with pytest.raises(Invalid, match="is not in a folder that jobs may use"):
            FileFolders([opened]).place(url(path))


def test_links_are_not_followed(opened: Path, tmp_path: Path) -> None:
    (opened / "link.csv").symlink_to(tmp_path / "secret.csv")
    (opened / "way").symlink_to(tmp_path)
    folders = FileFolders([opened])
    for path in ("link.csv", "way/secret.csv"):
        with pytest.raises(Invalid, match="links are not followed"):
            folders.place(url(opened / path)).open()
    with pytest.raises(Invalid, match="links are not followed"):
        folders.place(url(opened / "way" / "new.csv")).draft("r1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["open", "secret.csv"]


def test_the_open_folder_itself_may_be_a_link(opened: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(opened)
    folders = FileFolders([tmp_path / "named"])
    for folder in (tmp_path / "named", opened):
        with folders.place(url(folder / "deep/a b.csv")).open() as file:
            assert file.read() == b"inside"


def test_only_plain_files_are_read(opened: Path) -> None:
    os.mkfifo(opened / "pipe.csv")
    with pytest.raises(Invalid, match="is no plain file"):
        FileFolders([opened]).place(url(opened / "pipe.csv")).open()
    with pytest.raises(NotFound, match=r"missing.csv does not exist"):
        FileFolders([opened]).place(url(opened / "missing.csv")).open()


def test_a_draft_takes_its_place_as_a_whole_or_is_gone(opened: Path) -> None:
    place = FileFolders([opened]).place(url(opened / "new.csv"))
    (opened / ".new.csv.r0.part").write_text("left by a process that was killed")
    draft = place.draft("r1")
    draft.file.write(b"half")
    assert place.state() is None
    assert sorted(path.name for path in opened.iterdir()) == [".new.csv.r1.part", "deep"]
    second = place.draft("r2")  # another one at the same time keeps its hands off the first
    second.close()
    draft.put_in_place()
    draft.close()
    assert [path.name for path in sorted(opened.iterdir())] == ["deep", "new.csv"]
    (opened / "new.csv").chmod(0o640)
    third = place.draft("r3")
    third.file.write(b"never")
    third.close()
    fourth = place.draft("r4")
    fourth.file.write(b"later")
    fourth.put_in_place()
    fourth.close()
    assert ((opened / "new.csv").read_bytes(), (opened / "new.csv").stat().st_mode & 0o777) == (
        b"later",
        0o640,
    )


@pytest.mark.parametrize("folder", ["data", "/data/../etc", "/"])
def test_a_folder_is_given_by_its_whole_path(folder: str) -> None:
    with pytest.raises(ValueError, match="is not the whole path of a folder"):
        JobsSettings(file_folders=(Path(folder),))


def test_folders_may_come_as_one_text() -> None:
    settings = JobsSettings.model_validate({"file_folders": "/data/in, /data/out"})
    assert settings.file_folders == (Path("/data/in"), Path("/data/out"))
