"""Guesses are confirmed one by one: only their entries leave the file, and a file is written whole or not at all."""

from __future__ import annotations

import codecs
import io
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dags.authoring import acceptance
from dags.cli import app
from migration_reports.findings import UsageError

ROOT = Path(__file__).parents[2]
BEFORE = """\
# a remark, 全角
system: resident_records
tables:
  residents:  # 住民
    from: d.k
    columns:
      # the number
      resident_no:
        from: A   # kept
        guessed: "the name says so"
        transforms: [trim]
      name: {from: B, guessed: "alike, too"}
      sex: {guessed: why, from: C}
      birth:
        from: D
        guessed: "years, 1915"  # ask the town
      remarks:
        from: E
        guessed: >
          folded
          text
      address: {from: [F, G],
        guessed: last}
ignore: {}
"""
AFTER = """\
# a remark, 全角
system: resident_records
tables:
  residents:  # 住民
    from: d.k
    columns:
      # the number
      resident_no:
        from: A   # kept
        transforms: [trim]
      name: {from: B}
      sex: {from: C}
      birth:
        from: D
        # ask the town
      remarks:
        from: E
      address: {from: [F, G]}
ignore: {}
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "990060_midori"
    (folder / "resident_records").mkdir(parents=True)
    (folder / "resident_records/mapping.yaml").write_text(BEFORE, encoding="utf-8")
    return folder


def call(*words, **more):
    return CliRunner().invoke(app, ["accept", *map(str, words)], **more)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_nothing_but_the_guesses_leaves_the_file(folder, newline, bom):
    file = folder / "resident_records/mapping.yaml"
    file.write_bytes(bom + BEFORE.replace("\n", newline).encode())
    file.chmod(0o640)
    done = call(folder, "--all")
    assert done.exit_code == 0, done.output
    assert "6 guesses confirmed, 0 open" in done.output
    assert file.read_bytes() == bom + AFTER.replace("\n", newline).encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["mapping.yaml"]


def test_a_guess_is_shown_with_what_stands_around_it(folder):
    shown = {guess.name: guess.lines for guess in acceptance.open_guesses(folder)}
    assert shown["residents.resident_no"] == (
        "# the number", "resident_no:", "  from: A   # kept", "  transforms: [trim]"
    )  # fmt: skip
    assert shown["residents.name"] == ("name: {from: B}",)
    assert shown["residents.birth"] == ("birth:", "  from: D")


def test_guesses_are_named_by_column_or_by_place(folder):
    lines = BEFORE.splitlines(keepends=True)
    assert call(folder, "residents.resident_no", "resident_records/mapping.yaml:16:9").exit_code == 0
    lines[15] = "        # ask the town\n"
    del lines[9]
    assert (folder / "resident_records/mapping.yaml").read_text("utf-8") == "".join(lines)
    wrong = call(folder, "residents.nane")
    assert isinstance(wrong.exception, UsageError)
    assert "did you mean `residents.name`?" in str(wrong.exception)


def test_a_guess_of_two_systems_is_named_with_its_system(folder):
    (folder / "resident_tax").mkdir()
    (folder / "resident_tax/mapping.yaml").write_text(BEFORE, encoding="utf-8")
    assert "say which: resident_records.residents.name, resident_tax.residents.name" in str(
        call(folder, "residents.name").exception
    )
    assert call(folder, "resident_tax.residents.name", "resident_records/mapping.yaml:16").exit_code == 0
    left = [f"{guess.file.parent.name}.{guess.name}" for guess in acceptance.open_guesses(folder)]
    assert len(left) == 10
    assert "resident_tax.residents.name" not in left
    assert "resident_records.residents.birth" not in left


def test_the_list_changes_nothing(folder):
    done = call(folder, "--list")
    assert "990060_midori/resident_records/mapping.yaml:10:9  residents.resident_no: the name says so" in done.output
    assert (folder / "resident_records/mapping.yaml").read_text("utf-8") == BEFORE


def test_nobody_is_asked_where_there_is_no_terminal(folder):
    assert isinstance(call(folder).exception, UsageError)
    assert (folder / "resident_records/mapping.yaml").read_text("utf-8") == BEFORE


class Typed(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("answers", "left"),
    [("y n q", ["name", "sex", "birth", "remarks", "address"]), ("n x a", ["resident_no"]), ("n n n n n y", ["resident_no", "name", "sex", "birth", "remarks"])],
)  # fmt: skip
def test_a_person_is_asked_one_by_one(folder, monkeypatch, answers, left):
    from dags.commands import accept

    given = iter(answers.split())
    monkeypatch.setattr("sys.stdin", Typed())
    monkeypatch.setattr(accept.typer, "prompt", lambda text: next(given))
    accept.accept(str(folder))
    assert [g.name for g in acceptance.open_guesses(folder)] == [f"residents.{name}" for name in left]


def test_a_file_that_changed_meanwhile_is_left_as_it_is(folder):
    file = folder / "resident_records/mapping.yaml"
    guesses = acceptance.open_guesses(folder)
    file.write_text("# new\n" + BEFORE, encoding="utf-8")
    with pytest.raises(UsageError, match="changed meanwhile"):
        acceptance.strike(guesses)
    assert file.read_text("utf-8") == "# new\n" + BEFORE


def test_what_would_say_something_else_is_not_written(folder):
    file = folder / "resident_records/mapping.yaml"
    # Without its only key, the column would become a text, an empty one.
    file.write_text("tables:\n  t:\n    columns:\n      a:\n        guessed: x\n", encoding="utf-8")
    with pytest.raises(UsageError, match="nothing was written"):
        acceptance.strike(acceptance.open_guesses(folder))
    assert "guessed: x" in file.read_text("utf-8")


def test_a_town_without_guesses_has_nothing_to_accept(tmp_path):
    town = shutil.copytree(ROOT / "mappings" / "municipalities" / "990027_mihon", tmp_path / "990027_mihon")
    assert "0 guesses confirmed, 0 open" in call(town).output
    assert yaml.safe_load((Path(town) / "manifest.yaml").read_text("utf-8"))
