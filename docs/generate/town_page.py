"""docs/reference/town.md: what an invented town has, how days are written, and which faults a recipe may ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from extractors.synthesis.faults import FAULTS, FaultKind
from extractors.synthesis.formats import FORMATS
from extractors.synthesis.rows import ways
from extractors.synthesis.town import BY_NAME, ENTITIES
from extractors.synthesis.town.contract import Entity


def page() -> list[str]:
    """The lines of the page."""
    lines = [
        "# The invented town",
        "",
        "`hikkoshi synthesize` writes dumps from one town, which a seed and a number of residents decide. A recipe "
        "(`synthesis.yaml`, [its JSON Schema](synthesis.schema.json)) says which entities become records and which "
        "attributes stand in their fields. Without faults it passes every rule; codes are those of the standard.",
        "",
    ]
    for entity in ENTITIES:
        lines += _entity(entity)
    lines += ["## Formats of days", "", "| format | what | faults |", "|---|---|---|"]
    lines += [f"| `{form.name}` | {form.doc} | {_listed(form.wrong)} |" for form in FORMATS.values()]
    lines += [
        "",
        "## Faults",
        "",
        "Each is listed beside the dump (`FILE.faults.csv`): the record, the field, what was done, the finding and the rule "
        "that must find it. Of the rows that hang together, such as a household with its residents, one gets a fault at most.",
        "",
        "| fault | what is done | finding | keys |",
        "|---|---|---|---|",
    ]
    lines += [_fault(kind) for kind in FAULTS.values()]
    return lines


def _entity(entity: Entity) -> Iterator[str]:
    yield from (f"## {entity.name}", "", entity.doc.strip(), "")
    if entity.per is not None:
        many = "one at most" if entity.single else "any number"
        yield f"- per `{entity.per}`: {many}"
    yield from (f"- of `{relation.entity}`, or of none" for relation in entity.relations if relation.kind == "of")
    if entity.once:
        yield "- once in a town, however large"
    reached = sorted(ways(BY_NAME, entity.name).keys() - {entity.name})
    if reached:
        yield f"- reaches {_listed(reached)}: `{reached[0]}.{BY_NAME[reached[0]].attributes[0].name}`"
    yield from ("", "| attribute | type | what |", "|---|---|---|")
    yield from (f"| `{a.name}` | {a.type} | {a.what} |" for a in entity.attributes)
    yield ""


def _fault(kind: FaultKind) -> str:
    return f"| `{kind.name}` | {kind.doc} | {kind.code or 'as `code` says'} | {_listed(kind.needs)} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
