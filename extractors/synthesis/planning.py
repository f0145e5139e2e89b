"""A recipe against the town and the layout: the plans of its kinds, or every problem with its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from extractors.layout import Field, Layout, Segment, Table
from extractors.synthesis.faults import FAULTS, OF_DATES, FaultKind
from extractors.synthesis.formats import FORMATS, Format
from extractors.synthesis.plans import ColumnPlan, FaultPlan, KindPlan, Source, TablePlan, Total, is_text
from extractors.synthesis.recipe import FaultRecipe, FieldRecipe, KindRecipe, Recipe, TableRecipe
from extractors.synthesis.rows import Way, ways
from extractors.synthesis.town import BY_NAME
from extractors.synthesis.town.contract import Attribute
from migration_reports.catalogue import CATALOGUE
from migration_reports.findings import Problem, SpecError, did_you_mean
from migration_reports.specs import Located

FORMS = ("constant", "attribute", "count", "sum")
MOST_SHOWN = 20
"""So many names are said to be allowed."""


def plan(recipe: Recipe, located: Located, layout: Layout, *, fixed_places: bool = False) -> tuple[KindPlan, ...]:
    """Bring a recipe, the town and a layout together.

    Args:
        recipe: the recipe.
        located: where its parts stand.
        layout: of the records.
        fixed_places: whether a varying table always takes the room of its most occurrences.

    Raises:
        SpecError: with every problem of the recipe.
    """
    work = _Planner(recipe, located, layout, fixed_places=fixed_places)
    kinds = tuple(work.kind(name, kind) for name, kind in recipe.kinds.items())
    if work.problems:
        raise SpecError(work.problems)
    return kinds


class _Planner:
    """Plans the kinds of one recipe, and collects what is wrong with them."""

    def __init__(self, recipe: Recipe, located: Located, layout: Layout, *, fixed_places: bool) -> None:
        self._fixed_places = fixed_places
        self._recipe = recipe
        self._located = located
        self._layout = layout
        self.problems: list[Problem] = []

    def kind(self, name: str, kind: KindRecipe) -> KindPlan:
        at = ("kinds", name)
        lists = {table.column: table for table in self._segment(kind).tables}
        fields = self._fields(kind, at)
        of = self._entity(kind, at)
        tables = {
            table: made
            for table, recipe in kind.tables.items()
            if (made := self._table(recipe, table, of, fields, lists.get(table), (*at, "tables", table))) is not None
        }
        columns = self._columns(kind, of, fields, tables, at)
        filled = {column.field.name: column for column in columns}
        faults = (
            self._fault(fault, of, fields, filled, (*at, "faults", number)) for number, fault in enumerate(kind.faults)
        )
        return KindPlan(
            name,
            kind.role,
            of,
            self._per(kind, of, at),
            self._where(kind.where, of, (*at, "where")),
            self._segment(kind),
            columns,
            tuple(tables.values()),
            tuple(self._spared(kind, of, at)),
            tuple(fault for fault in faults if fault is not None),
        )

    def _columns(
        self,
        kind: KindRecipe,
        of: str | None,
        fields: Mapping[str, Field],
        tables: Mapping[str, TablePlan],
        at: tuple[str, ...],
    ) -> tuple[ColumnPlan, ...]:
        planned = []
        for name, recipe in kind.fields.items():
            if fields:
                self._known(name, fields, f"field of `{kind.group}`", "Y021", (*at, "fields", name, "key"))
            field = fields.get(name)
            what = self._what(recipe, of, field, kind, tables, (*at, "fields", name))
            if field is not None and what is not None:
                planned.append(ColumnPlan(field, what))
        return tuple(planned)

    def _fields(self, kind: KindRecipe, at: tuple[str, ...]) -> dict[str, Field]:
        if not self._known(kind.group, self._layout.groups(), "group", "Y021", (*at, "group")):
            return {}
        return {field.name: field for field in self._segment(kind).fields}

    def _segment(self, kind: KindRecipe) -> Segment:
        group = kind.group if kind.group in self._layout.groups() else None
        return self._layout.segment(group, fixed_places=self._fixed_places)

    def _entity(self, kind: KindRecipe, at: tuple[str, ...]) -> str | None:
        if (kind.of is None) == (kind.role is None):
            self._refuse("Y042", at, "a kind is `of` an entity, or has the role of a header or trailer")
            return None
        if kind.of is None:
            for key in ("per", "where", "tables", "spared"):
                if getattr(kind, key):
                    self._refuse("Y042", (*at, key, "key"), f"a {kind.role} is of no entity, and has no `{key}`")
            return None
        return kind.of if self._known(kind.of, BY_NAME, "entity", "Y012", (*at, "of")) else None

    def _per(self, kind: KindRecipe, of: str | None, at: tuple[str, ...]) -> str | None:
        if kind.per is None or of is None:
            return None
        written = [other.of for other in self._recipe.kinds.values() if other.of is not None and other is not kind]
        if not self._known(kind.per, written, "kind of records of", "Y020", (*at, "per")):
            return None
        if written.count(kind.per) > 1:
            self._refuse("Y020", (*at, "per"), f"several kinds are of `{kind.per}`: behind which of them is not said")
            return None
        if BY_NAME[of].per != kind.per:
            own = BY_NAME[of].per
            message = f"`{of}` belong to {f'`{own}`' if own else 'nothing'}, not to `{kind.per}`"
            self._refuse("Y012", (*at, "per"), message, (own,) if own else ())
            return None
        return kind.per

    def _table(
        self,
        recipe: TableRecipe,
        name: str,
        of: str | None,
        fields: Mapping[str, Field],
        varying: Table | None,
        at: tuple[str, ...],
    ) -> TablePlan | None:
        items = [item.name for item in self._layout.groups().values() if item.occurs_clause]
        if not self._known(name, items, "table (OCCURS)", "Y027", (*at, "key")):
            return None
        if not self._known(recipe.of, BY_NAME, "entity", "Y012", (*at, "of")) or of is None:
            return None
        if recipe.per != of or BY_NAME[recipe.of].per != of:
            children = tuple(entity.name for entity in BY_NAME.values() if entity.per == of)
            message = f"a table of `{of}` is filled from what belongs to them, `per: {of}`"
            self._refuse("Y012", (*at, "per" if recipe.per != of else "of"), message, children)
            return None
        columns = []
        held = [f for f in fields.values() if len(f.subscripts) == 1 and name in (*f.within, f.data_name)]
        if varying is not None:
            held = [f for f in varying.element.fields if not f.subscripts]
        for called, written in recipe.fields.items():
            place = (*at, "fields", called)
            names = [field.data_name for field in held]
            if not self._known(called, names, f"field of the table `{name}`", "Y021", (*place, "key")):
                continue
            own = tuple(field for field in held if field.data_name == called)
            what = self._value(written, recipe.of, own[0], place)
            if what is not None:
                columns.append((own, what))
        if varying is not None:
            return TablePlan(recipe.of, varying.most, tuple(columns), name, varying.elementary)
        return TablePlan(recipe.of, self._layout.groups()[name].occurs, tuple(columns))

    def _what(
        self,
        recipe: FieldRecipe,
        of: str | None,
        field: Field | None,
        kind: KindRecipe,
        tables: Mapping[str, TablePlan],
        at: tuple[str, ...],
    ) -> str | Source | Total | TablePlan | None:
        if recipe.count is None and recipe.sum is None:
            if kind.role is not None and recipe.attribute is not None:
                hint = "write `constant:`, `count:` or `sum:`"
                message = f"a {kind.role} is of no entity, and has no attributes"
                self._refuse("Y042", (*at, "attribute"), message, hint=hint)
                return None
            return self._value(recipe, of, field, at)
        if not self._one_way(recipe, at):
            return None
        if recipe.count is not None and kind.role is None:
            if not self._known(recipe.count, kind.tables, "table of this kind", "Y027", (*at, "count")):
                return None
            return tables.get(recipe.count)
        return self._total(recipe, kind, at)

    def _one_way(self, recipe: FieldRecipe, at: tuple[str, ...]) -> bool:
        """Whether a field is filled in one way, and nothing is said that does not belong to it."""
        before = len(self.problems)
        if sum(getattr(recipe, form) is not None for form in FORMS) != 1:
            self._refuse("Y042", at, "a field is filled in one way", FORMS)
        for key in ("format", "codes"):
            if getattr(recipe, key) and (recipe.attribute is None or (key == "codes" and recipe.format)):
                self._refuse(
                    "Y042", (*at, key, "key"), f"`{key}` is for an attribute{' that is no date' * (key == 'codes')}"
                )
        return len(self.problems) == before

    def _value(
        self, recipe: FieldRecipe, of: str | None, field: Field | None, at: tuple[str, ...]
    ) -> str | Source | None:
        """A constant or an attribute."""
        if not self._one_way(recipe, at):
            return None
        if recipe.constant is None:
            if recipe.attribute is None:
                self._refuse("Y042", at, "a field of a table is a constant or an attribute")
                return None
            return self._attribute(recipe, of, field, at) if of is not None else None
        if field is not None and not is_text(field) and not recipe.constant.removeprefix("-").isdecimal():
            message = f"`{recipe.constant[:40]}` is no number, and the field holds one"
            self._refuse("Y033", (*at, "constant"), message)
            return None
        return recipe.constant

    def _total(self, recipe: FieldRecipe, kind: KindRecipe, at: tuple[str, ...]) -> Total | None:
        form = "count" if recipe.count is not None else "sum"
        if kind.role is None:
            self._refuse("Y024", (*at, form), "only a header or trailer states totals of fields")
            return None
        name, _, field = (recipe.count or recipe.sum or "").partition(".")
        if not self._known(name, self._recipe.kinds, "kind", "Y020", (*at, form)):
            return None
        if form == "count":
            return Total(name)
        summed = [f for f, r in self._recipe.kinds[name].fields.items() if r.attribute is not None]
        if not self._known(field, summed, f"field of `{name}` filled from an attribute", "Y024", (*at, form)):
            return None
        return Total(name, field)

    def _attribute(self, recipe: FieldRecipe, of: str, field: Field | None, at: tuple[str | int, ...]) -> Source | None:
        source = self._source(recipe.attribute or "", of, (*at, "attribute"))
        if source is None:
            return None
        form = self._format(recipe, source.attribute, at)
        if source.attribute.type == pl.Date and form is None:
            return None
        if field is not None and not is_text(field) and source.attribute.type == pl.Boolean and not recipe.codes:
            hint = 'write codes: {"true": ..., "false": ...}'
            self._refuse(
                "Y033", (*at, "attribute"), f"`{recipe.attribute}` is yes or no, and the field a number", hint=hint
            )
            return None
        return dataclasses.replace(source, format=form, codes=recipe.codes)

    def _format(self, recipe: FieldRecipe, attribute: Attribute, at: tuple[str | int, ...]) -> Format | None:
        if recipe.format is None:
            if attribute.type == pl.Date:
                message = f"`{recipe.attribute}` is a date: say its format"
                self._refuse("Y011", (*at, "attribute"), message, tuple(FORMATS))
            return None
        if attribute.type != pl.Date:
            self._refuse("Y033", (*at, "format"), f"`{recipe.attribute}` is no date, and has no format")
            return None
        self._known(recipe.format, FORMATS, "format of dates", "Y012", (*at, "format"))
        return FORMATS.get(recipe.format)

    def _source(self, path: str, of: str, at: tuple[str | int, ...]) -> Source | None:
        """What `attribute` or `entity.attribute` means for rows of an entity."""
        first, dot, last = path.partition(".")
        reached = ways(BY_NAME, of)
        entity = first if dot else of
        if dot and first in BY_NAME and first not in reached:
            hint = f"`{of}` reach: {', '.join(sorted(reached.keys() - {of})) or 'nothing'}"
            if BY_NAME[first].per == of:
                hint = f"each of `{of}` may have several: fill a table (`tables:`) or a kind of records `per: {of}`"
            self._refuse("Y012", at, f"`{first}` are not one for each of `{of}`", hint=hint)
            return None
        if dot and not self._known(first, reached, "entity", "Y012", at):
            return None
        name = last if dot else first
        attributes = {attribute.name: attribute for attribute in BY_NAME[entity].attributes}
        if not self._known(name, attributes, f"attribute of `{entity}`", "Y012", at):
            return None
        return Source(reached[entity], attributes[name], self._located.at(*at))

    def _where(
        self, where: Mapping[str, tuple[str, ...]], of: str | None, at: tuple[str | int, ...]
    ) -> tuple[tuple[Source, frozenset[str]], ...]:
        if of is None:
            for path in where:
                self._refuse("Y042", (*at, path, "key"), "there is no entity here whose attributes could decide")
            return ()
        found = [(self._source(path, of, (*at, path, "key")), frozenset(values)) for path, values in where.items()]
        return tuple((source, values) for source, values in found if source is not None)

    def _spared(self, kind: KindRecipe, of: str | None, at: tuple[str, ...]) -> Iterator[Way]:
        reached = ways(BY_NAME, of) if of is not None else {}
        for number, name in enumerate(kind.spared):
            if self._known(name, reached, f"entity that `{of}` reach", "Y012", (*at, "spared", number)):
                yield reached[name]

    def _fault(
        self,
        fault: FaultRecipe,
        of: str | None,
        fields: Mapping[str, Field],
        filled: Mapping[str, ColumnPlan],
        at: tuple[str | int, ...],
    ) -> FaultPlan | None:
        before = len(self.problems)
        if fields:
            self._known(fault.field, fields, "field", "Y021", (*at, "field"))
        self._known(fault.kind, FAULTS, "fault", "Y012", (*at, "kind"))
        field, kind = fields.get(fault.field), FAULTS.get(fault.kind)
        than = self._source(fault.than, of, (*at, "than")) if fault.than is not None and of is not None else None
        where = self._where(fault.where, of, (*at, "where"))
        if fault.code is not None:
            self._known(fault.code, CATALOGUE, "finding", "Y012", (*at, "code"))
        if field is None or kind is None:
            return None
        what = filled[fault.field].what if fault.field in filled else None
        form = what.format if isinstance(what, Source) else None
        self._fits(fault, kind, field, form, at)
        if kind.alter is not None and fault.field not in filled:
            self._refuse("Y042", (*at, "field"), f"`{kind.name}` writes another value, and `{fault.field}` has none")
        if than is not None and than.attribute.type != pl.Date:
            self._refuse("Y033", (*at, "than"), f"`{fault.than}` is no date")
        if len(self.problems) > before:
            return None
        rate = float(fault.rate.rstrip("%")) / 100 if fault.rate is not None else None
        code = fault.code or kind.code or ""
        than = dataclasses.replace(than, format=form) if than is not None else None
        return FaultPlan(field, kind, code, fault.rule or "", rate, where, form, than, fault.value)

    def _fits(
        self, fault: FaultRecipe, kind: FaultKind, field: Field, form: Format | None, at: tuple[str | int, ...]
    ) -> None:
        """Whether a fault can be made in a field as it is filled."""
        for key in kind.needs:
            if getattr(fault, key) is None:
                self._refuse("Y011", at, f"key `{key}` is missing: `{kind.name}` needs it")
        unused = [key for key in ("than", "value") if key not in kind.needs and getattr(fault, key) is not None]
        for key in unused:
            self._refuse("Y012", (*at, key), f"`{kind.name}` has no `{key}`")
        if kind.numbers and is_text(field):
            self._refuse("Y033", (*at, "kind"), f"`{kind.name}` is a fault of numbers, and `{field.name}` is text")
        if kind.name in OF_DATES and (form is None or kind.name not in {*form.wrong, "later", "earlier"}):
            message = f"`{kind.name}` is a fault of dates, and `{field.name}` holds none"
            if form is not None:
                message = f"no day written as `{form.name}` can be `{kind.name}`"
            self._refuse("Y033", (*at, "kind"), message)

    def _known(self, name: str, names: Iterable[str], what: str, code: str, at: tuple[str | int, ...]) -> bool:
        known = list(dict.fromkeys(names))
        if name in known:
            return True
        allowed = tuple(known[:MOST_SHOWN])
        self._refuse(code, at, f"there is no {what} `{name[:60]}`", allowed, hint=did_you_mean(name, known))
        return False

    def _refuse(
        self, code: str, at: tuple[str | int, ...], message: str, allowed: tuple[str, ...] = (), *, hint: str = ""
    ) -> None:
        self.problems.append(Problem(code, self._located.at(*at), message, allowed, hint))
