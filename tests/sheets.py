"""Tables of tests, written as the lines of an items sheet."""

from __future__ import annotations

import yaml

from migration_reports.codes import CodeSet
from migration_reports.items import Reference, Table
from migration_reports.trouble import Position
from target_schemas.csv_sheets import read_rows
from target_schemas.item_sheets import ItemReader, check_lines
from target_schemas.model import RuleSpec
from target_schemas.physical import Described, make_table


def sheet(
    name: str,
    lines: str,
    *,
    references: tuple[Reference, ...] = (),
    code_sets: tuple[CodeSet, ...] = (),
    system: str = "tests",
) -> Table:
    """A table of `item,type,length,...` lines; ja is the item's name where no column says it."""
    problems = []
    header, *rest = [line.strip() for line in lines.strip().splitlines()]
    text = "\n".join([f"table,since,{header}", *(f"{name},1,{line}" for line in rest)])
    if "ja" not in header.split(","):
        head, *body = text.splitlines()
        text = "\n".join([f"{head},ja", *(f"{line},{line.split(',')[2]}" for line in body)])
    reader = ItemReader(("1",), {s.name: s for s in code_sets}, problems)
    columns = text.partition("\n")[0].split(",")
    read = [line for row in read_rows(text, "items.csv", columns, (), problems) if (line := reader.line(row))]
    check_lines(read, ("1",), problems)
    assert not problems, "\n".join(map(str, problems))
    key = tuple(line.item.columns[0] for line in read if line.key)
    described = Described(system, name, name, name, "none (a table of these tests)", key, critical=False)
    items = [line.item for line in read]
    return make_table(described, items, references, items)


def rule_of(text: str) -> RuleSpec:
    """A rule, as a line below `rules:` of a system's sheet; its place is (2, 3) of system.yaml."""
    ((name, said),) = yaml.load(text, yaml.BaseLoader).items()
    rest = {key: value for key, value in said.items() if key not in ("of", "severity", "source")}
    place = Position("system.yaml", 2, 3)
    return RuleSpec(name, next(iter(said)), said["of"], rest, said.get("severity", ""), said["source"], place)
