"""Secrets among the fields of a dump: passwords, hashes, keys. They are told by their names, or by what stands in them.

A system's sheet says by `refuse` which kinds it refuses; a mapping that moves such a field is a problem. What a field
holds is looked at by `hikkoshi profile` and `draft`, and in a run by a rule of the staged columns: a text that only a
program writes of a password is refused whatever its field is called. Digests are told of, for a document has some, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

import pyarrow as pa

from mappings.plan import Plan
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Problem, finding, join_findings
from target_schemas.model import System

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "password": ("PASSWORD", "PASSWD", "PASWD", "PSWD", "PWD", "PW", "PASS", "PASUWADO", "ANSHO", "ANSHOU", "ANSYO", "パスワード", "暗証"),
        "hash": ("HASH", "HASSHU", "SALT", "DIGEST", "ハッシュ", "ソルト"),
        "key": ("KAGI", "ANGO", "ANGOU", "SECRET", "HIMITSUKAGI", "PRIVATEKEY", "PRIVKEY", "秘密鍵", "暗号"),
        "answer": ("HIMITSU", "KOTAE", "ANSWER", "秘密の質問", "秘密の答"),
        "template": ("SHIMON", "FINGERPRINT", "SEITAI", "指紋", "生体"),
    }
)  # fmt: skip
"""By kind, the words of names: one of a name's parts, or the end of one where the word is long; Japanese ones anywhere."""

LONG = 5

_PARTS = re.compile(r"[A-Z]+")
_SUBSCRIPTS = re.compile(r"\([0-9,]*\)$")

PROBLEMS: Mapping[str, str] = MappingProxyType({"Y082": "a secret that a mapping moves"})
"""What each problem code of secrets means."""


def secret_in(name: str) -> str:
    """Which kind of secret a field's name tells of; empty: of none."""
    bare = _SUBSCRIPTS.sub("", name.rpartition(".")[2]).upper()
    parts = _PARTS.findall(bare)
    for kind, words in WORDS.items():
        for word in words:
            if any(p == word or (len(word) >= LONG and p.endswith(word)) for p in parts) or (
                not word.isascii() and word in bare
            ):
                return kind
    return ""


def mapped_secrets(plans: Mapping[str, Plan], systems: Iterable[System]) -> Iterator[Problem]:
    """The columns of mappings that are made of a secret which their system refuses, each as a problem."""
    for system in systems:
        if system.name in plans:
            yield from _mapped(plans[system.name], system)


def _mapped(plan: Plan, system: System) -> Iterator[Problem]:
    for part in plan.parts:
        at = ("tables", part.table.rpartition(".")[2], part.number, "columns")
        for column in part.columns:
            read = (*column.sources, *(column.expression.reads if column.expression is not None else ()))
            for field in dict.fromkeys(read):
                if (kind := secret_in(field)) in system.refuse:
                    place = plan.folder.mapping_places.at(*at, column.name)
                    message = f"`{field[:60]}` is a secret ({kind}), and {system.name} refuses it"
                    hint = "list it under ignore: with that reason; whoever needs one anew is given one"
                    yield Problem("Y082", place, message, (), hint)


def refused(plans: Mapping[str, Plan], refuse: Mapping[str, Collection[str]]) -> pa.RecordBatch:
    """A note for each field of a dump that is not moved because it is a secret.

    Args:
        plans: the mappings by system.
        refuse: by system, the kinds that it refuses.
    """
    return join_findings(
        [
            finding("V445", CATALOGUE["V445"].severity, dump=dump, kind=record, field=field, detail=kind)
            for system, plan in plans.items()
            for source, fates in plan.fates.items()
            for dump, _, record in [source.partition(".")]
            for field, (targets, _) in fates.items()
            if not targets and (kind := secret_in(field)) in refuse[system]
        ]
    )
