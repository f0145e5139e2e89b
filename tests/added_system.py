"""What a checkout with one system more does with it, as one line of JSON: `python -m tests.added_system`, run in it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import dags
import docs
import extractors
import mappings
import migration_reports
import target_schemas
import validators
from dags import runs
from dags.authoring.check import check
from dags.commands import COMMANDS
from dags.inspection.synthesis import synthesize
from dags.pipeline.run_folder import settings
from docs.generate import reference

TOWN = Path("mappings/municipalities/990027_mihon")
SYSTEM = TOWN / "library"
KINDS = ("--kind", "card=TS-KUBUN:C:TS-CARD", "--kind", "loan=TS-KUBUN:L:TS-LOAN")


def residents(dump):
    """The numbers of a master of 400 bytes a record: D, and ten digits of EBCDIC."""
    data = dump.read_bytes()
    records = [data[at : at + 11].decode("cp037") for at in range(0, len(data), 400)]
    return [record[1:] for record in records if record[0] == "D"]


def record(kind, *parts):
    return f"{kind}{''.join(parts)}".encode("shift_jis").ljust(52)


def card(number, resident, kind, memo="", desk="A001"):
    return record("C", f"{number:08}", resident, kind, "20260401", f"{memo:20}", desk)


def loan(number, serial, lent, returned, fee):
    return record("L", f"{number:08}", f"{serial:04}", lent, returned, f"{fee:05}")


def dump(people):
    """One row for each rule to find; what is too long is so in the older edition only."""
    return [
        card(1, people[0], "1"),
        card(2, people[1], "2"),
        card(3, people[1], "2"),  # a second child's card
        card(4, people[2], "1"),
        card(5, "9999999999", "1"),  # of nobody
        card(6, people[3], "9"),  # a kind that there is none of
        card(7, people[4], "1", "twelve chars"),  # too long
        loan(1, 1, "20260402", "20260410", 0),
        loan(1, 2, "20260502", "20260430", 20),  # returned before it was lent
        loan(4, 1, "20260402", "00000000", 15),  # no tens
        loan(4, 3, "20260402", "00000000", 0),  # the second is missing
        loan(9, 1, "20260402", "00000000", 0),  # with no card
    ]


def told(command, *words):
    """What a command prints, and its exit code."""
    out = io.StringIO()
    member = next(member for member in COMMANDS if member.name == command)
    with redirect_stdout(out), redirect_stderr(out):
        try:
            code = member.load()(args=list(words), prog_name=f"hikkoshi {command}", standalone_mode=False)
        except SystemExit as ended:
            code = ended.code
    return {"code": code or 0, "text": out.getvalue()}


def moved(**options):
    """A rehearsal, as its record and its reports tell it."""
    record = runs.run_all("mihon", **options)
    reports = settings().home / "runs" / record.run_id / "reports"
    return {
        "state": record.state,
        "why": record.state_reason_en,
        "systems": {of.system: [of.edition, of.state] for of in record.systems},
        "closes": all(line.closes for line in record.reconciliations),
        "staged": {line.table: line.rows_staged for line in record.reconciliations},
        "promoted": {line.table: line.rows_promoted for line in record.reconciliations},
        "rules": {r.rule: [r.failing_polars, r.failing_gx] for r in record.rules},
        "references": {r.name: [r.rows, r.fell, r.dangling, r.dangling_gx] for r in record.references},
        "not_checked": [rule.rule for rule in record.not_checked],
        "reports": {
            file.name: "library.loans" in file.read_text("utf-8")
            for file in (reports / "result.ja.html", reports / "result.en.html", reports / "run.json")
        },
    }


def rewritten(name, *changes):
    """Change a file of the town's new system."""
    text = (SYSTEM / name).read_text("utf-8")
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (SYSTEM / name).write_text(text, "utf-8")


def problems():
    return [f"{problem.code} {problem.message}" for problem in check(TOWN.resolve()).problems]


def later_edition():
    """The new item mapped in the edition that does not have it, left out of the one that asks for it, and mapped there."""
    (unmapped,) = (line for line in (SYSTEM / "mapping.yaml").read_text("utf-8").splitlines() if "TC-MADOGUCHI" in line)
    mapped = ("      memo: TC-OBOEGAKI\n", "      memo: TC-OBOEGAKI\n      desk: TC-MADOGUCHI\n")
    newer = ('edition: "1.0"', 'edition: "1.1"')
    rewritten("mapping.yaml", mapped, (f"{unmapped}\n", ""))
    too_early = problems()
    rewritten("manifest.yaml", newer)
    in_time = problems()
    rewritten("mapping.yaml", mapped[::-1], ("  toshokan.loan:\n", f"{unmapped}\n  toshokan.loan:\n"))
    left_out = problems()
    rewritten("mapping.yaml", mapped, (f"{unmapped}\n", ""))
    return {"too_early": too_early, "in_time": in_time, "left_out": left_out}


def main():
    packages = (dags, docs.generate, extractors, mappings, migration_reports, target_schemas, validators)
    inbox = settings().inbox(TOWN.name)
    (made,) = synthesize(TOWN, system="resident_records", residents=60, seed=7, faults=0, out=inbox)
    (inbox / "toshokan.dat").write_bytes(b"".join(dump(residents(made.dump))))
    pages = reference.pages()
    seen = {
        "from": sorted({str(Path(package.__file__).resolve()) for package in packages}),
        "check": told("check", "mihon"),
        "together": moved(systems=("resident_records", "library")),
        "explain": told("explain", "mihon", "library.loans.lent"),
        "draft": told("draft", str(SYSTEM / "layouts" / "toshokan.cpy"), "--system", "library", *KINDS),
        "changed": [name for name, text in pages.items() if (reference.FOLDER / name).read_text("utf-8") != text],
        "pages": {name: pages[name] for name in ("rules.md", "systems.md")},
        "later": later_edition(),
        "alone": moved(systems=("library",), rehearsal=2),
    }
    print(json.dumps(seen, ensure_ascii=False))  # noqa: T201  what it is run for


if __name__ == "__main__":
    main()
