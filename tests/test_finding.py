import os

import pytest

from qa import reading
from qa.errors import NoArticles, ReadError


def write(folder, **texts):
    """Files by name, `__` for a slash and `_` for the dot of the suffix."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder):
    found = reading.find(folder)
    return [path.relative_to(folder).as_posix() for path in found.files], dict(found.passed_over)


def test_a_folder_is_walked_and_what_is_no_article_counted(tmp_path):
    write(tmp_path, a_txt="x", sub__deeper__b_md="x", c_HTML="x", d_py="x")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff" + bytes(range(256)))
    (tmp_path / "text.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (tmp_path / ".qa").mkdir()
    write(tmp_path / ".qa", a_txt="x")
    assert names(tmp_path) == (
        ["a.txt", "c.HTML", "sub/deeper/b.md"],
        {"binary": 2, "hidden": 1, "other format": 1},
    )


def test_gitignore_is_honoured_nested_and_negated(tmp_path):
    write(tmp_path, a_md="x", keep_md="x", out__a_txt="x", sub__a_md="x", sub__b_txt="x")
    (tmp_path / ".gitignore").write_text("*.md\n!keep.md\n/out/\n")
    (tmp_path / "sub" / ".gitignore").write_text("!a.md\nb.*\n")
    assert names(tmp_path) == (["keep.md", "sub/a.md"], {"hidden": 2, "ignored": 3})


def test_links_never_lead_out_of_the_folder_nor_in_circles(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    write(inside, sub__a_txt="x")
    write(outside, b_txt="x")
    (inside / "circle").symlink_to(inside)
    (inside / "away").symlink_to(outside)
    (inside / "self").symlink_to("self")
    (inside / "again.txt").symlink_to("sub/a.txt")
    assert names(inside) == (["sub/a.txt"], {"broken link": 1, "linked folder": 2})


def test_a_linked_file_is_read_under_the_name_of_the_link(tmp_path):
    write(tmp_path, out__b_txt="x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").symlink_to(tmp_path / "out" / "b.txt")
    assert names(tmp_path / "in") == (["a.txt"], {})


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    assert names(tmp_path) == ([], {"not a file": 1})


@pytest.mark.parametrize("name", [".hidden", "data.bin", "article.txt"])
def test_a_file_given_by_name_is_always_found(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0")
    assert reading.find(tmp_path / name) == reading.Found((tmp_path / name,))


def test_a_relative_path_gives_absolute_ones(tmp_path, monkeypatch):
    write(tmp_path, a__b_txt="x")
    monkeypatch.chdir(tmp_path / "a")
    expected = (tmp_path / "a" / "b.txt",)
    assert [reading.find(type(tmp_path)(p)).files for p in (".", "b.txt", "../a")] == [expected] * 3


def test_nothing_at_a_path_is_one_line(tmp_path):
    with pytest.raises(NoArticles, match=r"^Nothing at .*nowhere\. Check the path"):
        reading.find(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_listed_is_an_error_inside_another_a_count(tmp_path, monkeypatch):
    write(tmp_path, a_txt="x", shut__b_txt="x")
    listed = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(tmp_path) == (["a.txt"], {"unreadable": 1})
    with pytest.raises(ReadError, match=r"^Cannot read folder .*shut: Permission denied\. "):
        reading.find(tmp_path / "shut")
