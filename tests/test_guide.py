"""The guide for mapping authors, step by step: its files are written, its commands run, its answers compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)( \S+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_a_vendor_can_follow_the_guide(tmp_path, database_url):
    shutil.copytree(ROOT / "mappings" / "municipalities", tmp_path / "mappings" / "municipalities")
    command = tmp_path / "bin" / "hikkoshi"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dags.cli "$@"\n')
    command.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HIKKOSHI_HOME": str(tmp_path / "home"),
        "HIKKOSHI_MUNICIPALITIES": str(tmp_path / "mappings" / "municipalities"),
        "HIKKOSHI_DATABASE_URL": database_url,
        "COLUMNS": "200",
    }
    ran = 0
    for language, file, content in BLOCK.findall((ROOT / "docs" / "guide" / "mapping.md").read_text("utf-8")):
        if file.strip():
            (tmp_path / file.strip()).write_text(content, encoding="utf-8")
        if language != "console":
            continue
        for step in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            line, *expected = step.rstrip("\n").split("\n")
            done = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            said = done.stdout + done.stderr
            code = int(expected.pop().split()[1]) if expected and expected[-1].startswith("exit ") else 0
            assert done.returncode == code, f"$ {line}\n{said}"
            for answer in expected:
                assert answer.strip() in said, f"$ {line}\n{said}"
            ran += 1
    assert ran > 15
