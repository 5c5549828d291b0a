"""Is the documentation correct? Its commands and examples run, its links have a target, its reference is up to date.

The tests copy the project once and run the job in the copy; the commands of every page then run there, in order. A
block marked ``console`` holds commands (``$ …``) and their output, with ``…`` for any text; ``python`` is a doctest;
``sh`` is not run. ``UPDATE_DOCS=1`` writes the output into blocks without ``…``.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.forks import Forks, forks_of
from tests.project_copy import COPIED, IMPORTS, ProjectCopy, own_copy
from triple_aim import errors
from triple_aim.definitions.settings import Settings, load_project
from triple_aim.definitions.specs import Compute
from triple_aim.reference_docs.pages import pages
from triple_aim.vocabulary import Method

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def pages_with(language: str) -> list[Any]:
    return [pytest.param(page, id=relative(page)) for page in PAGES if blocks(page, language)]


@pytest.fixture(scope="session")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return own_copy(tmp_path_factory)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with forks_of(IMPORTS) as running:
        yield running


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with its expected lines."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        yield command, expected


def fits(expected: list[str], printed: str) -> bool:
    """Whether every line is as expected, except for blanks at its end; ``…`` matches any text or none."""
    pattern = r"\n".join(re.escape(line.rstrip()).replace("…", ".*") for line in expected)
    pattern = pattern.replace(r"\n.*", r"(?:\n.*)?").replace(r".*\n", r"(?:.*\n)?")
    text = "\n".join(line.rstrip() for line in printed.strip("\n").split("\n"))
    return re.fullmatch(pattern, text, flags=re.DOTALL) is not None


@pytest.fixture
def restored_copy(project_copy: ProjectCopy) -> Iterator[ProjectCopy]:
    """The copy of the project; afterwards the files that a page added to the content are deleted."""
    before = {path for name in COPIED for path in (project_copy.root / name).rglob("*")}
    yield project_copy
    for path in {path for name in COPIED for path in (project_copy.root / name).rglob("*")} - before:
        if path.is_file() and "__pycache__" not in path.parts:
            path.unlink()


@pytest.mark.parametrize("page", pages_with("console"))
def test_commands_print_the_output_on_the_page(page: Path, restored_copy: ProjectCopy, forks: Forks) -> None:
    text = page.read_text(encoding="utf-8")
    for block in blocks(page, "console"):
        for command, expected in commands(block):
            printed = restored_copy.run(command, forks)
            if not expected or fits(expected, printed):
                continue
            if os.environ.get("UPDATE_DOCS") and "…" not in "".join(expected):
                old = "\n".join([f"$ {command}", *expected])
                text = text.replace(old, "\n".join([f"$ {command}", printed.strip("\n")]))
                page.write_text(text, encoding="utf-8")
                continue
            pytest.fail(f"{relative(page)}: {command} printed\n{printed}\nwhere the page says\n" + "\n".join(expected))


@pytest.mark.parametrize("page", pages_with("python"))
def test_worked_examples_give_their_results(
    page: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pages of methods need the content only; the others read the release of the job.
    monkeypatch.chdir(ROOT if page.parent.name == "methods" else request.getfixturevalue("project_copy").root)
    parser, runner, failures = doctest.DocTestParser(), doctest.DocTestRunner(), []
    example = parser.get_doctest("\n".join(blocks(page, "python")), {}, relative(page), relative(page), 0)
    assert example.examples, "a python block holds no example"
    runner.run(example, out=failures.append)
    assert runner.failures == 0, "".join(failures)


def test_every_method_page_has_a_worked_example() -> None:
    assert not [page.name for page in PAGES if page.parent.name == "methods" and not blocks(page, "python")]


@pytest.mark.parametrize("page", [pytest.param(page, id=relative(page)) for page in PAGES])
def test_links_have_a_target(page: Path) -> None:
    for link in LINK.findall(CODE.sub("code", FENCE.sub("", page.read_text(encoding="utf-8")))):
        if link.startswith(("http://", "https://")):
            continue
        target, _, anchor = link.partition("#")
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), f"{relative(page)} links to {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, f"{relative(page)}: {link}"


FILE_NAMED = re.compile(rf"`((?:{'|'.join((*COPIED, 'tests', 'triple_aim'))})/[\w./-]+)`")
#: Such as `METHODS` and `estimate` of `triple_aim/indicators/estimators.py`.
NAMES_OF_FILE = re.compile(r"((?:`\w+`(?:,|\s+and)?\s+)+)of\s+`((?:triple_aim|tests)/[\w/]+\.py)`")


@pytest.mark.parametrize("page", [pytest.param(page, id=relative(page)) for page in PAGES])
def test_files_and_the_names_in_them_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not [name for name in FILE_NAMED.findall(text) if not (ROOT / name).exists()]
    for names, file in NAMES_OF_FILE.findall(text):
        code = (ROOT / file).read_text(encoding="utf-8")
        assert not [name for name in re.findall(r"\w+", names) if name != "and" and not re.search(rf"\b{name}\b", code)]


def test_the_generated_reference_is_up_to_date() -> None:
    generated = pages(load_project(ROOT / "data_samples" / "monitor.toml"))
    folder = ROOT / "docs" / "reference"
    stale = [
        name for name, text in generated.items() if not (folder / name).is_file() or (folder / name).read_text() != text
    ]
    assert not stale, "run make reference"
    assert {path.name for path in folder.glob("*.md")} == set(generated)


def test_every_command_and_option_is_documented() -> None:
    from typer.main import get_command

    from triple_aim.cli.commands import app

    sections = re.split(r"^## ", (ROOT / "docs" / "reference" / "cli.md").read_text(), flags=re.MULTILINE)
    section_of = {section.split("\n", 1)[0]: section for section in sections}

    def check(command: Any, path: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            check(inner, f"{path} {name}")
        if not hasattr(command, "commands"):
            for parameter in command.params:
                words = parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()]
                assert all(f"`{word}`" in section_of[path] for word in words), f"{path} {words}"

    check(get_command(app), "triple-aim")


def test_the_cost_of_the_protection_names_its_command() -> None:
    """The numbers are measured and not written by hand; the command makes them again."""
    page = (ROOT / "docs" / "methods" / "disclosure.md").read_text()
    measured = page.split("<!-- protection:begin -->")[1].split("<!-- protection:end -->")[0]
    command = re.search(r"python (benchmarks/\S+\.py)", measured)
    assert command and (ROOT / command[1]).exists()
    assert {line.split("|")[1].strip() for line in measured.splitlines() if line.startswith("| ")} >= {
        "samples",
        "nation",
    }


def test_every_exit_code_is_documented() -> None:
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    own_codes = {
        kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")
    }
    assert own_codes | {0, 1, 2} == {int(code) for code in re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)}


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "how-to" / "own-deliveries.md").read_text()
    assert not [name for name in Settings.model_fields if not re.search(rf"^{name} = ", text, flags=re.MULTILINE)]


def test_the_changelog_has_the_version_and_every_indicator() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in text
    ids = {path.stem for path in (ROOT / "indicator_specs").glob("*/*.yaml")}
    assert not [name for name in sorted(ids) if f"`{name}`" not in text]
    for aim in ("health", "quality", "cost"):
        number = len(list((ROOT / "indicator_specs" / aim).glob("*.yaml")))
        assert f"* {aim.capitalize()}, {number}\n" in text


@pytest.mark.parametrize(("page", "times"), [("README.md", 1), ("docs/explanation/performance.md", 3)])
def test_a_page_has_the_number_of_indicators(page: str, times: int) -> None:
    number = len(list((ROOT / "indicator_specs").glob("*/*.yaml")))
    found = re.findall(r"(\d+)\s+(?:published )?indicators", (ROOT / page).read_text(encoding="utf-8"))
    assert found == [str(number)] * times


def test_every_method_and_field_of_a_spec_is_documented() -> None:
    text = (ROOT / "docs" / "how-to" / "new-indicator.md").read_text()
    named = set(re.findall(r"[a-z0-9_]+", " ".join(CODE.findall(text))))
    assert not {*get_args(Method), *Compute.model_fields, "measures", "codes", "breaks", "trend"} - named


def test_the_complete_spec_in_the_docs_is_one_of_ours() -> None:
    [example] = blocks(ROOT / "docs" / "how-to" / "new-indicator.md", "yaml")
    assert example in {path.read_text(encoding="utf-8") for path in (ROOT / "indicator_specs").glob("*/*.yaml")}


def test_every_command_in_the_docs_exists() -> None:
    """Commands in blocks that are not run exist."""
    from typer.main import get_command

    from triple_aim.cli.commands import app

    known = get_command(app)
    for page in PAGES:
        for block in blocks(page, "sh"):
            for name in re.findall(r"(?:^|/)triple-aim ([a-z]+)", block, flags=re.MULTILINE):
                assert name in known.commands, f"{relative(page)}: triple-aim {name}"
            for target in re.findall(r"\bmake ([a-z-]+)", block):
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE), target
