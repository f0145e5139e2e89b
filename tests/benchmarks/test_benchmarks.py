"""Every benchmark, at a size that takes seconds: it ends, and prints each row that it promises. Nothing is timed here."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from tests import benchmarks
from tests.benchmarks.peers import workload

ROOT = Path(__file__).resolve().parents[2]
CHARSETS = ("IBM 930", "JEF", "KEIS", "JIPS(E)", "Windows-31J", "EUC-JP")
RECORDS = 40

# What a benchmark is called with, and the lines it promises; a # stands for a figure, * for what not every machine has.
BENCHMARKS = {
    "tests.benchmarks": (
        "--residents 100 --large 200 --database {database}",
        [
            "990027_mihon (400 B) | # [#..#] | #",
            "990035_reiji (240 B) | # [#..#] | #",
            "990027_mihon (promoted) | # | # | # (bare: # a second)",
            "990035_reiji (promoted) | # | # | # (bare: # a second)",
            "100 residents: # MB at the peak, # MB more than after the imports; # MB/s",
            "200 residents: # MB at the peak, # MB more than after the imports; # MB/s",
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
            "| residents, written by hand | # |  |",
            "| residents, compiled from YAML | # | # of its time |",
            "| all four tables, compiled from YAML | # |  |",
        ],
    ),
    "tests.benchmarks.reading": (
        "--residents 100 --rounds 1 --gigabytes 0.01 --starts 1",
        [
            "| resident, 400 B | # [#..#] | * | * | # |",
            "| numbers, 100 B | # [#..#] | * | * | # |",
            "| numbers, 100 B, 30% of the packed ones blank | # [#..#] | * | * | # |",
            "| numbers, 100 B, 30% of the packed ones blank, null by policy | # [#..#] | * | * | # |",
            "| text, 200 B | # [#..#] | * | * | # |",
            "| packed, 15 digits | # [#..#] | * | * | # |",
            "| packed, 38 digits | # [#..#] | * | * | # |",
            "| resident, V | # [#..#] | * | * | # |",
            "| resident, VS | # [#..#] | * | * | # |",
            "| ODO, 0 to 5 entries | # [#..#] | * | * | # |",
            "two threads, resident, 400 B: # [#..#] MB/s, # times one (a loop that only computes: #)",
            "60 B | # [#..#] (with reading the stream # [#..#]) | #",
            "200 B | # [#..#] (with reading the stream # [#..#]) | #",
            "400 B | # [#..#] (with reading the stream # [#..#]) | #",
            "# GB to Arrow IPC: # MB/s, # findings, # MB at the peak",
            "first batch, whole process: # s from a cold start, # s with a warm kernel cache",
        ],
    ),
    "tests.benchmarks.slices": (
        "--residents 200 --rounds 1 --database {database}",
        [
            "1 slice(s), 1 process(es) | # [#..#] | 1.00",
            "2 slice(s), 1 process(es) | # [#..#] | #",
            "8 slice(s), 1 process(es) | # [#..#] | #",
            "2 slice(s), 2 process(es) | # [#..#] | #",
            "8 slice(s), 2 process(es) | # [#..#] | #",
            "a loop that only computes, halved over two processes | | #",
        ],
    ),
    "tests.benchmarks.starts": (
        "--rounds 1",
        [
            "import polars, pydantic: # s [#..#], # of `import polars, pydantic`",
            "hikkoshi --help: # s [#..#], # of `import polars, pydantic`",
            "hikkoshi check --help: # s [#..#], # of `import polars, pydantic`",
            "hikkoshi check mihon: # s [#..#], # of `import polars, pydantic`",
            "hikkoshi check: # s [#..#], # of `import polars, pydantic`",
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
    figure = r"[\d,.]+(?:e-\d+)?"
    return re.compile(re.escape(row).replace(r"\#", figure).replace(r"\*", rf"(?:{figure}|[a-z ]+)"))


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


def test_make_bench_runs_the_same_modules():
    text = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"^bench:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert recipe is not None
    assert sorted(re.findall(r"-m (\S+)", recipe[1])) == sorted(set(BENCHMARKS) - INSTALLS)
