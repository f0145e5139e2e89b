"""Run record -> files. The only module that fills templates, and the only one of the reports that writes.

Templates autoescape, an unknown name in one is an error, and every file is written whole, owner-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from migration_reports.catalogue import CATALOGUE
from migration_reports.pages.question import question
from migration_reports.private_files import write_whole
from migration_reports.records import shown, verdicts
from migration_reports.records.profile_record import Profile
from migration_reports.records.run_record import RunRecord
from migration_reports.reports import REPORTS, SUMS
from migration_reports.words import WORDS

__all__ = ["question", "render", "render_profile"]


def render(record: RunRecord, folder: Path, *, findings: Path | None) -> tuple[Path, ...]:
    """Write every report of a run, and the SHA-256 of each beside them.

    Args:
        record: the run.
        folder: where to write.
        findings: the Arrow file of all findings; None where there is none.

    Returns:
        The files, that of the sums last.
    """
    environment = _environment()

    def template(name: str, values: Mapping[str, Any]) -> str:
        return environment.get_template(name).render(values)

    written: list[Path] = []
    sums = ""
    for report in REPORTS:
        for name, content in report.files(record, findings, template):
            written.append(write_whole(folder / name, content))
            sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    return (*written, write_whole(folder / SUMS, sums.encode()))


def render_profile(profile: Profile) -> str:
    """Give the page of a dump's profile, in Japanese and English; it needs nothing but itself."""
    by_kind = [
        (kind, [f for f in profile.fields if f.kind == kind.name and not f.unmapped_but_filled])
        for kind in profile.kinds
    ]
    codes = {found.code for field in profile.fields for found in field.findings} | {f.code for f in profile.findings}
    catalogue = {code: CATALOGUE[code] for code in codes if code in CATALOGUE}
    values = {"profile": profile, "by_kind": by_kind, "catalogue": catalogue, "ja": WORDS["ja"], "en": WORDS["en"]}
    return _environment().get_template("profile.html.j2").render(values)


def render_contents(
    about: Mapping[str, str], sizes: Mapping[str, int], *, base: str, notice: tuple[str, str] | None, again: bool
) -> str:
    """Give the page that lists a run's reports, or says why there are none, in Japanese and English.

    Args:
        about: what the run is: heading and value.
        sizes: the files that are there, and their bytes.
        base: what stands before a file's name in a link, quoted.
        notice: what is to say above the list, in both languages.
        again: whether the page is to look again by itself.
    """
    pages_first = sorted(REPORTS, key=lambda report: not any(name.endswith(".html") for name in report.names))
    found = [(report, [(name, sizes[name]) for name in report.names if name in sizes]) for report in pages_first]
    reports = [(report, files) for report, files in found if files]
    values = {
        "about": about, "reports": reports, "sums": (SUMS, sizes.get(SUMS)), "base": base, "notice": notice, "again": again,
    }  # fmt: skip
    return _environment().get_template("contents.html.j2").render(values)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("migration_reports"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        n=shown.number, amount=shown.amount, when=shown.when, glyph=shown.glyph, controlled=shown.controlled,
        control_name=shown.control_name, size=shown.size,
    )  # fmt: skip
    environment.globals.update(verdicts=verdicts)
    return environment
