"""A municipality has a folder a system: which are read, what they inherit, and what two of them may not share."""

from __future__ import annotations

import pytest

from mappings.language.reader import read_municipality
from migration_reports.findings import SpecError, UsageError

HEAD = 'municipality: {code: "990027", name: 見本市, romaji: mihon}\n'
DUMP = "{{file: {file}, title: d, layout: l.cpy, framing: fixed, charset: ibm, records: {{r: {{}}}}}}"
SYSTEMS = {"records": ("1.0", "1.1"), "tax": ("2.0",)}


@pytest.fixture
def town(tmp_path):
    folder = tmp_path / "municipalities" / "990027_mihon"
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(HEAD, encoding="utf-8")
    return folder


def add(town, name, dump, *, file="", edition="", more="", mapping=""):
    folder = town / name
    folder.mkdir(parents=True)
    edition = edition or SYSTEMS[name][-1]
    said = f'edition: "{edition}"\ndumps:\n  {dump}: {DUMP.format(file=file or dump)}\n{more}'
    (folder / "manifest.yaml").write_text(said, encoding="utf-8")
    (folder / "mapping.yaml").write_text(mapping or f"system: {name}\ntables: {{}}\n", encoding="utf-8")
    (folder / "l.cpy").write_text("       01 A PIC X.\n", encoding="utf-8")


def read(town, **options):
    return read_municipality(town, systems=SYSTEMS, **options)


def problems(town):
    with pytest.raises(SpecError) as caught:
        read(town)
    return caught.value.problems


def test_the_systems_are_the_folders_and_each_has_its_own_edition_and_dumps(town):
    add(town, "tax", "fuka")
    add(town, "records", "juki", edition="1.0")
    (town / ".git").mkdir()
    made = read(town)
    assert {name: system.manifest.edition for name, system in made.systems.items()} == {"records": "1.0", "tax": "2.0"}
    assert list(made.dumps) == ["juki", "fuka"]
    assert made.of_dump("fuka").path == town / "tax"
    assert {"manifest.yaml", "tax/manifest.yaml", "tax/l.cpy", "records/mapping.yaml"} <= set(made.sha256)


def test_only_some_systems_are_read_and_the_others_may_be_wrong(town):
    add(town, "records", "juki")
    add(town, "tax", "fuka", mapping="tables: [")
    assert list(read(town, only=["records"]).systems) == ["records"]
    assert [p.position.file for p in problems(town)] == ["990027_mihon/tax/mapping.yaml"]
    with pytest.raises(UsageError, match="990027_mihon has no system `record`; did you mean `records`"):
        read(town, only=["record"])


def test_what_holds_for_all_systems_is_said_once_and_each_may_say_otherwise(town):
    (town / "manifest.yaml").write_text(
        HEAD + "limits: {rejects: 1%, stop_after: 9}\npolicies: {nfc: keep}\n", encoding="utf-8"
    )
    add(town, "records", "juki")
    add(town, "tax", "fuka", more="limits: {rejects: 2%}\n")
    made = read(town).systems
    assert (made["records"].manifest.limits.rejects, made["records"].manifest.limits.stop_after) == ("1%", 9)
    assert (made["tax"].manifest.limits.rejects, made["tax"].manifest.limits.stop_after) == ("2%", 9)
    assert made["tax"].manifest.policies == {"nfc": "keep"}
    assert str(made["tax"].manifest_places.at("limits", "stop_after")) == "990027_mihon/manifest.yaml:2:35"
    assert made["tax"].manifest_places.at("limits", "rejects").file == "990027_mihon/tax/manifest.yaml"


def test_a_municipality_wins_over_a_package_in_its_head_too(town):
    (town / "manifest.yaml").write_text(HEAD + "limits: {rejects: 1%}\n", encoding="utf-8")
    package = town.parents[1] / "packages" / "product"
    package.mkdir(parents=True)
    add(package.parent, "tax", "fuka", more="limits: {rejects: 5%, stop_after: 7}\nsystem: tax\n")
    (package.parent / "tax").replace(package)
    (town / "tax").mkdir()
    (town / "tax" / "manifest.yaml").write_text("based_on: packages/product\n", encoding="utf-8")
    (of_tax,) = read(town).systems.values()
    assert (of_tax.manifest.limits.rejects, of_tax.manifest.limits.stop_after) == ("1%", 7)
    assert of_tax.manifest.edition == "2.0"


def test_a_mistake_of_the_head_is_said_once(town):
    (town / "manifest.yaml").write_text(HEAD + "limits: {rejects: few}\n", encoding="utf-8")
    add(town, "records", "juki")
    add(town, "tax", "fuka")
    assert [str(p.position) for p in problems(town)] == ["990027_mihon/manifest.yaml:2:19"]


def test_dumps_of_one_name_and_files_of_two_dumps_are_told_with_both_places(town):
    add(town, "records", "juki", file="a.dat")
    add(town, "tax", "juki", file="b.dat")
    (one,) = problems(town)
    assert (str(one.position), one.message) == (
        "990027_mihon/tax/manifest.yaml:3:3",
        "dump `juki` is one of records too",
    )
    assert str(one.defined[0].position) == "990027_mihon/records/manifest.yaml:3:3"
    manifest = town / "tax" / "manifest.yaml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("juki:", "fuka:").replace("b.dat", "a.dat"), encoding="utf-8"
    )
    (one,) = problems(town)
    assert one.message == "`a.dat` is the file of `juki` too"
    assert one.defined[0].position.file == "990027_mihon/records/manifest.yaml"


def test_a_folder_of_no_system_and_no_folder_at_all_are_told(town):
    (none,) = problems(town)
    assert (none.code, none.allowed) == ("Y030", ("records", "tax"))
    add(town, "records", "juki")
    (town / "taxes").mkdir()
    (town / "layouts").mkdir()
    assert {(p.position.file, p.hint) for p in problems(town)} == {
        ("990027_mihon/taxes", "did you mean `tax`?"),
        ("990027_mihon/layouts", "what belongs to a system stands in its folder"),
    }
