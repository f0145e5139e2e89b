"""What reading needs is compiled once: a second process compiles nothing, nor does a user who may not write to the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOWN = ROOT / "mappings" / "municipalities" / "990035_reiji"

COMPILE = """
import os, sys, tempfile
from pathlib import Path
locked, real = sys.argv[2:], os.access
os.access = lambda path, mode: not (locked and "__pycache__" in str(path)) and real(path, mode)
from numba.core import event
from dags.inspection.compiled import compile_for
with event.install_recorder("numba:run_pass") as passes, tempfile.TemporaryDirectory() as out:
    compile_for(Path(sys.argv[1]), Path(out))
print("RESULT", len(passes.buffer))
"""


def passes(*words, **environment):
    """How many passes Numba's compiler makes in a process of its own that writes and reads a town's dump."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(TOWN), *words],
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split("RESULT")[1])


@pytest.fixture(scope="module", autouse=True)
def kept():
    passes()


def test_a_second_process_compiles_nothing():
    assert passes() == 0


def test_a_user_who_may_not_write_to_the_package_gets_a_copy(tmp_path):
    assert passes("locked", XDG_CACHE_HOME=str(tmp_path)) == 0
    assert list(tmp_path.glob("hikkoshi/kernels-*/*/*.nbc"))


def test_a_folder_that_was_asked_for_begins_empty(tmp_path):
    """Whoever names one may want other machine code in it, such as with bounds checked."""
    assert passes(NUMBA_CACHE_DIR=str(tmp_path)) > 0
    assert passes(NUMBA_CACHE_DIR=str(tmp_path)) == 0
