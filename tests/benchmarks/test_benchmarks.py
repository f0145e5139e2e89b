"""Every benchmark, at a size that takes seconds: it ends, and prints each row that it promises. Nothing is timed here."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from tests import benchmarks
from tests.benchmarks.__main__ import BUDGETS, main
from tests.benchmarks.figures import asked
from tests.benchmarks.peers import workload

ROOT = Path(__file__).resolve().parents[2]
CHARSETS = ("IBM 930", "JEF", "KEIS", "JIPS(E)", "Windows-31J", "EUC-JP")
RECORDS = 40

ASKED = "asked: | {} | # | {} | yes/no |"
STEPS = (
    "begin",
    "receive",
    "extract_map_stage",
    "join_slices",
    "validate",
    "reconcile",
    "approve",
    "promote",
    "report",
)
GATES = ("with the gate", "without the gate")
FLOORS = {"bare adbc_ingest": (3.5, 2.3), "ingest, key, checks, attach": (2.5, 1.5)}
BESIDE_FLOORS = ("reading and mapping into Arrow files", "importing Great Expectations")
COLUMNS = "processor: all | this process | its children | PostgreSQL | all, of ingest, key, checks, attach |"
WORKLOADS = (
    "resident, 400 B", "numbers, 100 B", "numbers, 100 B, 30% of the packed ones blank",
    "numbers, 100 B, 30% of the packed ones blank, null by policy", "text, 200 B", "packed, 15 digits",
    "packed, 38 digits", "resident, V", "resident, VS", "resident, 8 kinds", "ODO, 0 to 5 entries",
    "the same, 5 entries, fixed",
)  # fmt: skip
BESIDE = {
    "numbers, 100 B, 30% of the packed ones blank": ("numbers, 100 B", 0.5),
    "numbers, 100 B, 30% of the packed ones blank, null by policy": ("numbers, 100 B", 0.5),
    "resident, V": ("resident, 400 B", 0.7),
    "resident, VS": ("resident, 400 B", 0.7),
    "resident, 8 kinds": ("resident, 400 B", 0.7),
    "ODO, 0 to 5 entries": ("the same, 5 entries, fixed", 0.7),
}

# What a benchmark is called with, and the lines it promises; a # stands for a figure, * for what not every machine has.
BENCHMARKS = {
    "tests.benchmarks": (
        "mapping --residents 50 --rounds 1",
        [
            "## mapping",
            "| all four tables, compiled from YAML | # | # |  |",
            "| figure | measured | asked | met |",
            "Took: mapping # s of #.",
        ],
    ),
    "tests.benchmarks.candidates": (
        "--parties 2000 --rounds 1",
        [
            "2,000 parties, # pairs, # of them entered twice; # MB more",
            "| found, in whatever writing | # |",
            "| a join by value | # |",
            ASKED.format("candidates among a million parties: wall", "at most 10 s"),
            ASKED.format("candidates, of a join by value", "at most 12"),
        ],
    ),
    "tests.benchmarks.charsets": (
        "--fields 50 --residents 20 --rounds 1",
        [
            *[f"| mixed kanji, X(62) | {name} | # | # |" for name in CHARSETS],
            *[f"| double-byte, N(30) | {name} | # | # |" for name in CHARSETS],
            *[f"| half-width kana, X(60) | {name} | # | # |" for name in CHARSETS[:-1]],
            *[f"| ours: fields, ends, findings | {name} | # | |" for name in ("IBM 930", "Windows-31J", "EUC-JP")],
            "| Python's codec, a call a field | Windows-31J | # | # times as fast |",
            "| Python's codec, a call a field | EUC-JP | # | # times as fast |",
            *[f"| {name} | # | # |" for name in CHARSETS[:4]],
        ],
    ),
    "tests.benchmarks.mapping": (
        "--residents 100 --rounds 1",
        [
            "| residents, written by hand | # | # |  |",
            "| residents, compiled from YAML | # | # | # of its time |",
            "| all four tables, compiled from YAML | # | # |  |",
            ASKED.format("mapping, rows a second and core", "at least 1,000,000"),
        ],
    ),
    "tests.benchmarks.pipeline": (
        "--residents 100 --rounds 1 --database {database}",
        [
            *[f"| step, {gate} | s | {COLUMNS}" for gate in GATES],
            *[f"| pipeline {gate} | # | # | # | # | # | # |" for gate in GATES],
            *[f"| {what} | # | # | # | # | # | # |" for what in (*FLOORS, *BESIDE_FLOORS)],
            *[
                ASKED.format(f"pipeline of 100 residents {gate}, of {floor}: {clock}", f"at most {limit}")
                for floor, limits in FLOORS.items()
                for gate, limit in zip(GATES, limits, strict=True)
                for clock in ("wall", f"processor time{', without the import' if gate == 'with the gate' else ''}")
            ],
        ],
    ),
    "tests.benchmarks.reading": (
        "--residents 100 --rounds 1 --gigabytes 0.01",
        [
            *[f"| {name} | # [#..#] | # | * | * | # |" for name in WORKLOADS],
            ASKED.format("reading, resident, 400 B, of its own kernels", "at least 0.7"),
            *[
                ASKED.format(f"reading, {name}, of {other}", f"at least {limit}")
                for name, (other, limit) in BESIDE.items()
            ],
            "two threads, resident, 400 B: # [#..#] MB/s, # times one (a loop that only computes: #)",
            "60 B | # [#..#] (with reading the stream # [#..#]) | #",
            "200 B | # [#..#] (with reading the stream # [#..#]) | #",
            "400 B | # [#..#] (with reading the stream # [#..#]) | #",
            "# GB to Arrow IPC: # MB/s, # findings, # MB at the peak",
        ],
    ),
    "tests.benchmarks.sizes": (
        "--residents 100 --database {database}",
        [
            *[f"| {step} | # + # |" for step in STEPS],
            "| 100 residents | # | # | # | # | # |",
            ASKED.format("peak memory, 100 residents: the run's process", "at most 700 MB"),
            ASKED.format("peak memory, 100 residents: with its children", "at most 700 MB"),
            *[
                ASKED.format(f"Polars' rules, for a million rows (of #): {c}", "at most 1 s")
                for c in ("wall", "processor time")
            ],
            *[
                ASKED.format(f"suite of Great Expectations, for a million residents (of 100): {clock}", "at most 5 s")
                for clock in ("wall", "processor time")
            ],
        ],
    ),
    "tests.benchmarks.slices": (
        "--gigabytes 0.0001 --rounds 1 --database {database}",
        [
            "| 1 worker(s) | # [#..#] | # [#..#] |",
            "| 2 worker(s) | # [#..#] | # [#..#] |",
            ASKED.format("two workers, times one (a loop that only computes: #)", "at least 1.8"),
            ASKED.format("two workers, of what two give to the loop", "at least 0.9"),
        ],
    ),
    "tests.benchmarks.small_towns": (
        "--residents 100 --rounds 1 --no-airflow --database {database}",
        [
            "| in process | # | # | # | # |",
            *[ASKED.format(f"a town of 100, in process: {c}", "at most 6 s") for c in ("wall", "processor time")],
        ],
    ),
    "tests.benchmarks.starts": (
        "--rounds 1",
        [
            "import polars, pydantic: # [#..#] s, # of `import polars, pydantic`",
            "hikkoshi --help: # [#..#] s, # of `import polars, pydantic`",
            "hikkoshi check --help: # [#..#] s, # of `import polars, pydantic`",
            "hikkoshi check mihon: # [#..#] s, # of `import polars, pydantic`",
            "hikkoshi check: # [#..#] s, # of `import polars, pydantic`",
            "first batch, whole process, no kernel kept: # s, # s of processor time",
            *[
                ASKED.format(f"first batch, kernels kept, {which} process: {clock}", f"at most {limit} s")
                for which, limit in (("first", 3), ("later", 1.5))
                for clock in ("wall", "processor time")
            ],
        ],
    ),
    "tests.benchmarks.peers": (
        "--only ours --records 40 --folder {folder}",
        [
            "| ours, 1 thread | this checkout | Arrow batches, findings | 40 | # [#..#] | # |  | 1 | 1 "
            "| agree with what was written, all 20 columns |",
            "| memory copy |  | the same bytes | 40 | # [#..#] | 1.0 |  | # |  |  |",
        ],
    ),
    "tests.benchmarks.peers.ours": (
        "{copybook} {data} 1 1",
        ['{"seconds": [#], "copies": [#], "cpu": #}'],
    ),
}
INSTALLS = {"tests.benchmarks.peers", "tests.benchmarks.peers.ours"}
"""They take their peers from public registries, and so stand outside `make bench`."""


def module_of(name):
    """The module that `python -m` runs."""
    found = importlib.import_module(name)
    return importlib.import_module(f"{name}.__main__") if hasattr(found, "__path__") else found


def lines_of(row):
    # What is measured apart and taken off is more than the whole of a run of no size.
    figure = r"-?[\d,.]+(?:e-\d+)?(?: M?[sB])?"
    pattern = re.escape(row).replace(r"\#\#", "##").replace(r"\#", figure).replace(r"\*", rf"(?:{figure}|[a-z ]+)")
    return re.compile(pattern.replace("yes/no", r"(?:yes|\*\*no\*\*)"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_ends_and_prints_its_rows(name, tmp_path, request, monkeypatch, capfd):
    # A benchmark sets these for itself and its children; the tests after it find them as they were.
    for variable in ("HIKKOSHI_HOME", "HIKKOSHI_DATABASE_URL", "HIKKOSHI_SLICE_BYTES"):
        monkeypatch.setenv(variable, "")
    words, rows = BENCHMARKS[name]
    places = {"{folder}": str(tmp_path)}
    if "{database}" in words:
        places["{database}"] = request.getfixturevalue("database_url")
    if "{data}" in words:
        made = workload.make(tmp_path, RECORDS)
        places |= {"{copybook}": str(made.copybook), "{data}": str(made.fixed)}
    assert module_of(name).main([places.get(word, word) for word in words.split()]) == 0
    printed = capfd.readouterr().out.splitlines()
    assert {row: sum(bool(lines_of(row).fullmatch(line)) for line in printed) for row in rows} == dict.fromkeys(rows, 1)


def runnable():
    """The modules of this folder that have a main, as `python -m` calls them."""
    for module in pkgutil.walk_packages(benchmarks.__path__, f"{benchmarks.__name__}."):
        if module.ispkg:
            continue
        source = Path(module.module_finder.find_spec(module.name).origin).read_text("utf-8")
        body = ast.parse(source).body
        called = [ast.unparse(node.test) for node in body if isinstance(node, ast.If)]
        if "__name__ == '__main__'" in called or "main" in [n.name for n in body if isinstance(n, ast.FunctionDef)]:
            yield module.name.removesuffix(".__main__")


def test_every_benchmark_is_tried_here():
    assert sorted(runnable()) == sorted(BENCHMARKS)


def test_make_bench_runs_all_that_install_nothing():
    assert {f"tests.benchmarks.{name}" for name in BUDGETS} == set(BENCHMARKS) - INSTALLS - {"tests.benchmarks"}
    assert "-m tests.benchmarks\n" in (ROOT / "Makefile").read_text("utf-8")


def test_a_benchmark_that_fails_is_told_and_counted(capfd):
    assert main(["mapping", "--residents", "none"]) == 1
    assert "mapping" in capfd.readouterr().out.splitlines()[-1]


def test_an_unknown_benchmark_is_told_with_those_that_there_are(capfd):
    assert main(["maping"]) == 2
    assert "mapping" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("value", "limit", "line"),
    [
        (1.5, {"most": 1.5, "unit": "s"}, "asked: | what | 1.50 s | at most 1.5 s | yes |"),
        (1.51, {"most": 1.5, "unit": "s"}, "asked: | what | 1.51 s | at most 1.5 s | **no** |"),
        (0.7, {"least": 0.7}, "asked: | what | 0.70 | at least 0.7 | yes |"),
        (999_999, {"least": 1_000_000}, "asked: | what | 999,999 | at least 1,000,000 | **no** |"),
    ],
)
def test_a_figure_stands_beside_its_limit(value, limit, line, capfd):
    asked("what", value, **limit)
    assert capfd.readouterr().out == f"{line}\n"
