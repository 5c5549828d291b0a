"""Can a working engineer read the project once? Words that readers could not follow do not come back.

``plain_words.csv`` lists them: ``word`` is a regular expression, ``instead`` the plain words for it. A row ``prose``
applies to sentences, a row ``name`` to whole names, a row ``both`` to sentences and to the parts of names (``told`` in
``told_by``). Not here: spelling, grammar or style.
"""

from __future__ import annotations

import csv
import io
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = Path(__file__).with_name("plain_words.csv")
MOST_SHOWN = 60

#: A blank in the list also fits the end of a line, but not an empty line.
BLANK = r"(?:[ \t]+\n?[ \t]*|\n[ \t]*)"
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
TARGET = re.compile(r"\]\([^)\s]+\)|https?://\S+")
MARK = re.compile(r"^[ \t]*(?:#:?|--)", re.MULTILINE)
NAME = re.compile(r"[A-Za-z_]\w*")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Rule(NamedTuple):
    """One row of the list."""

    where: str
    word: str
    instead: str

    @property
    def in_prose(self) -> re.Pattern[str]:
        word = self.word.replace(" ", BLANK)
        return re.compile(rf"(?:(?<!\w)(?=\w)|(?=\W))(?:{word})(?!\w)", re.IGNORECASE)


class Found(NamedTuple):
    """A listed word and its line."""

    line: int
    text: str
    rule: Rule


Reader = Callable[[str], Iterator[Found]]


def rules() -> list[Rule]:
    with LISTED.open(encoding="utf-8", newline="") as file:
        return [Rule(**row) for row in csv.DictReader(file)]


RULES = rules()
PROSE = [(rule, rule.in_prose) for rule in RULES if rule.where != "name"]
NAMES = [(rule, re.compile(rule.word)) for rule in RULES if rule.where == "name"]
PARTS = [(rule, re.compile(rule.word)) for rule in RULES if rule.where == "both"]


def in_prose(text: str, line: int = 1) -> Iterator[Found]:
    """Listed words in a text that begins at ``line``."""
    for rule, pattern in PROSE:
        for match in pattern.finditer(text):
            yield Found(line + text.count("\n", 0, match.start()), " ".join(match[0].split()), rule)


def in_names(text: str, line: int) -> Iterator[Found]:
    """Listed words in the names of a text of one line."""
    for name in NAME.findall(text):
        parts = {part.lower() for part in PART.findall(name)}
        yield from (Found(line, name, rule) for rule, pattern in NAMES if pattern.fullmatch(name))
        yield from (Found(line, name, rule) for rule, pattern in PARTS if any(map(pattern.fullmatch, parts)))


def in_markdown(text: str) -> Iterator[Found]:
    """Sentences as prose and code within them as names; a block of code holds what programs read and print."""
    text = FENCE.sub(_blank, text)
    yield from in_prose(TARGET.sub(_blank, CODE.sub(_blank, text)))
    for code in CODE.finditer(text):
        yield from in_names(code[0], 1 + text.count("\n", 0, code.start()))


def in_python(text: str) -> Iterator[Found]:
    """Comments, docstrings and literals as prose; names as names."""
    comments = [""] * (text.count("\n") + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            comments[line - 1] = token.string
        elif token.type == tokenize.NAME:
            yield from in_names(token.string, line)
        elif token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield from in_prose(token.string, line)
    yield from in_comments(comments)


def in_sql(text: str) -> Iterator[Found]:
    """Comments as prose; the names of the statement as names."""
    comments = []
    for number, line in enumerate(text.split("\n"), start=1):
        statement, mark, comment = line.partition("--")
        comments.append(mark + comment)
        yield from in_names(statement, number)
    yield from in_comments(comments)


def in_comments(lines: Iterable[str]) -> Iterator[Found]:
    """The comments of a file, line by line; a comment that continues on the next line is one text."""
    yield from in_prose(MARK.sub("", "\n".join(lines)))


READERS: dict[str, Reader] = {".md": in_markdown, ".py": in_python, ".sql": in_sql}


def found_in(paths: Iterable[Path]) -> Iterator[tuple[Path, Found]]:
    for path in paths:
        read = READERS.get(path.suffix, in_prose)
        yield from ((path, found) for found in read(path.read_text(encoding="utf-8")))


def report(found: list[tuple[Path, Found]]) -> str:
    """Each place with its plain words, and how often each row of the list was found."""
    lines = [f"{path.relative_to(ROOT)}:{line}: “{text}” → {rule.instead}" for path, (line, text, rule) in found]
    more = [f"… and {len(lines) - MOST_SHOWN:,} more"] if len(lines) > MOST_SHOWN else []
    counts = Counter(f"{rule.where} {rule.word}" for _, (_, _, rule) in found).most_common()
    return "\n".join([*lines[:MOST_SHOWN], *more, *(f"{count:5} × {word}" for word, count in counts)])


def _blank(match: re.Match[str]) -> str:
    """As many blanks and ends of lines, so that places in the text stay the same."""
    return re.sub(r"[^\n]", " ", match[0])


def files(*patterns: str) -> list[Path]:
    """The files that fit, without those of runs, of installations and of this test."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()} - {Path(__file__)}
    return sorted(path for path in found if not {".venv", "work", "publication"} & set(path.relative_to(ROOT).parts))


GUIDES = [
    *(path for path in files("*.md", "docs/**/*.md") if path.parent.name != "reference"),
    *files("benchmarks/**/*.md", "data_samples/**/*.md"),
]
CONTENT = files("Makefile", ".importlinter", "contracts/*.yaml", "reference/*/*.yaml", "data_samples/**/*.yaml")
FOLDERS, KINDS = ("triple_aim", "assets", "pipelines", "benchmarks", "sql", "tests"), ("py", "sql", "html", "yaml")
#: With the pages that programs write; those of the specs have the words of the published dictionary.
PROGRAMS = [
    *files(*(f"{folder}/**/*.{kind}" for folder in FOLDERS for kind in KINDS)),
    *(path for path in files("docs/reference/*.md") if path.stem not in ("indicators", "coverage")),
]


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in [*GUIDES, *CONTENT]])
def test_guides_and_content_use_plain_words(path: Path) -> None:
    found = list(found_in([path]))
    assert not found, report(found)


def test_programs_use_plain_words() -> None:
    found = list(found_in(PROGRAMS))
    assert not found, report(found)


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        (in_markdown, "It tells\nof all.\n```sh\ntold\n```\n`told_by`, `x`\n", [(1, "tells"), (6, "told_by")]),
        (in_markdown, "It stands for more,\nfor it is [one](told.md) apart from it.\n", [(1, ", for it")]),
        (in_markdown, "The point lies between them and\n\nlies here.\n", [(3, "lies")]),
        (in_python, '"""One.\n\nIt stands.\n"""\n', [(3, "stands")]),
        (in_python, 'x = "is told"  # of what\n# is\n# of\n# today\n', [(1, "told"), (3, "of today")]),
        (in_python, "toldX = standing.understand\n# of\n\n# today\n", [(1, "toldX"), (1, "standing")]),
        (in_python, "outstanding = f'{told} lacks'\n", [(1, "told"), (1, "lacks")]),
        (in_python, "further = no_further = _further\n", [(1, "further"), (1, "_further")]),
        (in_sql, "-- Mends it.\nselect heard -- apart\nfrom apartment\n", [(1, "Mends"), (2, "apart"), (2, "heard")]),
    ],
)
def test_words_are_found_in_their_line(reader: Reader, text: str, expected: list[tuple[int, str]]) -> None:
    assert sorted((line, word) for line, word, _ in reader(text)) == sorted(expected)


def test_each_row_of_the_list_can_be_used() -> None:
    assert {rule.where for rule in RULES} == {"prose", "name", "both"}
    assert all(rule.word and rule.instead for rule in RULES)
    assert len({(rule.where, rule.word) for rule in RULES}) == len(RULES)
