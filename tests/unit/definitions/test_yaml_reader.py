"""Is content read as a person reads it, and is ambiguous content refused with file and line?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.definitions.yaml_reader import MAX_CHARACTERS, Content, read_model, read_yaml
from triple_aim.errors import ContentError

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
)
REFUSED = {
    "alias bomb": (BOMB, 1, "anchors"),
    "alias": ("a: &x 1\nb: *x\n", 1, "anchors"),
    "alias as a key": ("a: &x b\n*x : 2\n", 1, "plain word"),
    "merge key": ("a:\n  <<: {b: 1}\n", 2, "plain word"),
    "list as a key": ("[a]: 1\n", 1, "plain word"),
    "tag on a value": ("a: 1\nb: !!python/object/apply:os.system ['true']\n", 2, "tag"),
    "tag on a key": ("!!python/name:os.system a: 1\n", 1, "plain word"),
    "own tag": ("a: !include other.yaml\n", 1, "tag"),
    "set": ("a: !!set {b, c}\n", 1, "tag"),
    "binary": ("a: !!binary aGk=\n", 1, "tag"),
    "key twice": ("a: 1\nb: 2\na: 3\n", 3, "occurs twice"),
    "Norway": ("a: 1\ncountry: NO\n", 2, "two ways"),
    "octal code": ("code: 0034\n", 1, "two ways"),
    "sexagesimal": ("a: 12:30\n", 1, "two ways"),
    "underscores": ("a: 1_000\n", 1, "two ways"),
    "infinity": ("a: .inf\n", 1, "two ways"),
    "a date that does not exist": ("a: 1\nb: 2023-02-29\n", 2, "not a value"),
    "a very long integer": (f"a: {'9' * 5000}\n", 1, "not a value"),
    "deep brackets": ("[" * 50_000, 1, "levels deep"),
    "deep braces": ("{a: " * 30 + "}" * 30, 1, "levels deep"),
    "unclosed": ("a: [1\nb: 2\n", 2, ""),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "document"),
    "tab": ("a:\n\tb: 1\n", 2, ""),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_ambiguous_content_is_refused_with_file_and_line(tmp_path: Path, fault: str) -> None:
    text, line, message = REFUSED[fault]
    path = tmp_path / "content.yaml"
    path.write_text(text)
    with pytest.raises(ContentError) as caught:
        read_yaml(path)
    assert f"{tmp_path.name}/content.yaml:{line}\n" in str(caught.value) and message in caught.value.what
    assert str(caught.value).count("\n") == 2 and caught.value.exit_code == 10


@pytest.mark.parametrize("content", ["x" * (MAX_CHARACTERS + 1), b"a: \xff\n", b"a: \x00\n", None])
def test_a_file_that_is_not_yaml_text_is_refused(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "content.yaml"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ContentError, match=r"content\.yaml"):
        read_yaml(path)


def test_plain_values_are_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "content.yaml"
    path.write_text("a: 1\nb: -1.50\nc: true\nd:\ne: null\nf: '0034'\nNO: 'NO'\n0034: x\ng: [GM0034, 18-64]\nh: 1E5\n")
    assert read_yaml(path) == {
        "a": 1, "b": -1.5, "c": True, "d": None, "e": None, "f": "0034", "NO": "NO", "0034": "x",
        "g": ["GM0034", "18-64"], "h": "1E5",
    }  # fmt: skip


class Inner(Content):
    n: int


class Outer(Content):
    inner: list[Inner]
    name: str


def test_an_invalid_model_names_the_first_line_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("name: x\ninner:\n  - {n: 1}\n  - n: '2'\n  - n: 3\n    extra: 4\n")
    with pytest.raises(ContentError) as caught:
        read_model(path, Outer)
    assert str(caught.value).splitlines()[:2] == [
        "inner.1.n: Input should be a valid integer (and 1 more)",
        f"  where: {tmp_path.name}/model.yaml:4",
    ]
