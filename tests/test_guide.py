"""The guide for mapping authors, page by page: its files are written, its commands run, its answers compared."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dags import cli

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "guide").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)( \S+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_vendor_can_follow_the_guide(page, tmp_path, database_url, monkeypatch, capsys):
    shutil.copytree(ROOT / "mappings" / "municipalities", tmp_path / "mappings" / "municipalities")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIKKOSHI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HIKKOSHI_MUNICIPALITIES", str(tmp_path / "mappings" / "municipalities"))
    monkeypatch.setenv("HIKKOSHI_DATABASE_URL", database_url)

    def hikkoshi(line):
        """The command in this process, as a shell would call it."""
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        else:
            code = 0
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    def shell(line):
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    ran = 0
    for language, file, content in BLOCK.findall(page.read_text("utf-8")):
        if file.strip():
            Path(file.strip()).parent.mkdir(parents=True, exist_ok=True)
            Path(file.strip()).write_text(content, encoding="utf-8")
        if language != "console":
            continue
        for step in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            line, *expected = step.rstrip("\n").split("\n")
            wanted = int(expected.pop().split()[1]) if expected and expected[-1].startswith("exit ") else 0
            code, said = hikkoshi(line) if line.startswith("hikkoshi ") else shell(line)
            assert code == wanted, f"$ {line}\n{said}"
            for answer in expected:
                assert answer.strip() in said, f"$ {line}\n{said}"
            ran += 1
    assert ran > (15 if page.stem == "mapping" else 0), "a page shows what is said"
