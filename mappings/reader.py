"""A municipality's folder -> specs with places; every problem at once."""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import pydantic

from mappings.spec import CodeTable, Located, Manifest, MappingSpec, MunicipalityFolder, Spec
from mappings.yaml_text import read_yaml
from migration_reports.findings import Position, Problem, SpecError

MAX_FILE = 4_000_000
S = TypeVar("S", bound=Spec)

PROBLEMS: Mapping[str, str] = {
    "Y001": "a file that is too large or too deep",
    "Y002": "a file that is no YAML",
    "Y003": "anchors, aliases or tags",
    "Y004": "a key that is no text",
    "Y005": "a key that stands twice",
    "Y006": "a file that is missing or cannot be read",
    "Y007": "a path that leaves its folder",
    "Y010": "an unknown key",
    "Y011": "a key that is missing",
    "Y012": "a value that is not allowed",
    "Y013": "a municipality code whose check digit is wrong",
    "Y014": "a folder name that does not fit its manifest",
    "Y015": "a code table that cannot be used",
    "Y020": "a record kind or dump that is not known",
    "Y021": "a source field that is not known",
    "Y022": "a source field that is neither mapped nor ignored",
    "Y023": "a source field that is mapped and ignored",
    "Y024": "a control that cannot be computed",
    "Y030": "a target table or system that is not known",
    "Y031": "a target column that is not known",
    "Y032": "a target column that is not filled",
    "Y033": "a type that cannot fit",
    "Y034": "a code outside the target's code set",
    "Y040": "a transform that is not known",
    "Y041": "a transform's parameter that is not allowed",
    "Y042": "a column that is filled in two ways, or in none",
    "Y043": "a rule or a setting of it that is not known or cannot be used",
}
"""What each problem code of a manifest or mapping means."""


def read_municipality(folder: Path) -> MunicipalityFolder:
    """Read a municipality's manifest, mappings and code tables.

    Raises:
        SpecError: with every problem of every file.
    """
    problems: list[Problem] = []
    sha256: dict[str, str] = {}
    manifest, places = _read(folder, "manifest.yaml", Manifest, _normal_manifest, problems, sha256)
    if manifest is None or places is None:
        raise SpecError(problems)
    _check_manifest(folder, manifest, places, problems, sha256)
    mappings: dict[str, tuple[MappingSpec, Located]] = {}
    tables: dict[str, CodeTable] = {}
    for system in manifest.systems:
        mapping, where = _read(folder, f"{system}.yaml", MappingSpec, _normal_mapping, problems, sha256)
        if mapping is None or where is None:
            continue
        if mapping.system != system:
            problems.append(Problem("Y012", where.at("system"), f"system is `{mapping.system}`", (system,)))
        mappings[system] = (mapping, where)
        for path, place in _code_tables(mapping, where):
            if path not in tables:
                table = _read_code_table(folder, path, place, problems, sha256)
                if table is not None:
                    tables[path] = table
    if problems:
        raise SpecError(problems)
    return MunicipalityFolder(
        folder.name,
        manifest,
        places,
        MappingProxyType(mappings),
        MappingProxyType(tables),
        MappingProxyType(sha256),
    )


def check_digit(code: str) -> str:
    """The check digit of a municipality code's first five digits (JIS X 0402; weights 6 to 2, modulus 11)."""
    total = sum(int(digit) * weight for digit, weight in zip(code[:5], (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def inside(folder: Path, path: str) -> Path | None:
    """The file at a path relative to a folder; None where it lies outside, by its name or through a link."""
    whole = (folder / path).resolve()
    return whole if whole.is_relative_to(folder.resolve()) and not Path(path).is_absolute() else None


def _read(
    folder: Path, name: str, model: type[S], normal: Any, problems: list[Problem], sha256: dict[str, str]
) -> tuple[S | None, Located | None]:
    shown = f"{folder.name}/{name}"
    text = _text(folder, name, Position(shown), problems, sha256)
    if text is None:
        return None, None
    try:
        data, places = read_yaml(text, shown)
    except SpecError as error:
        problems.extend(error.problems)
        return None, None
    located = Located(shown, places)
    if not isinstance(data, dict):
        problems.append(Problem("Y012", Position(shown), "the document must be a mapping of keys"))
        return None, None
    try:
        return model.model_validate(normal(data)), located
    except pydantic.ValidationError as error:
        problems.extend(_problem(e, located, model) for e in error.errors(include_url=False, include_input=False))
        return None, located


def _text(folder: Path, path: str, place: Position, problems: list[Problem], sha256: dict[str, str]) -> str | None:
    file = inside(folder, path)
    if file is None:
        problems.append(Problem("Y007", place, f"`{path[:80]}` lies outside the municipality's folder"))
        return None
    try:
        if file.stat().st_size > MAX_FILE:
            problems.append(Problem("Y001", place, f"`{path}` is larger than {MAX_FILE:,} bytes"))
            return None
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError:
        problems.append(Problem("Y006", place, f"`{path[:80]}` cannot be read", hint="does the file exist?"))
        return None
    except UnicodeDecodeError:
        problems.append(Problem("Y006", place, f"`{path}` is not UTF-8 text"))
        return None
    sha256[path] = hashlib.sha256(data).hexdigest()
    return text


def _file(folder: Path, path: str, place: Position, problems: list[Problem], sha256: dict[str, str]) -> None:
    """Note a file that the reader reads by itself: that it is inside the folder, and its SHA-256."""
    file = inside(folder, path)
    if file is None:
        problems.append(Problem("Y007", place, f"`{path[:80]}` lies outside the municipality's folder"))
        return
    try:
        with file.open("rb") as content:
            sha256[path] = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        problems.append(Problem("Y006", place, f"`{path[:80]}` cannot be read", hint="does the file exist?"))


def _normal_manifest(data: dict[str, Any]) -> dict[str, Any]:
    """Bring the short forms into the long ones, leaving anything odd for the model to refuse."""
    dumps = data.get("dumps")
    if isinstance(dumps, dict):
        data = {**data, "dumps": {name: _normal_dump(dump) for name, dump in dumps.items()}}
    return data


def _normal_dump(dump: Any) -> Any:
    if not isinstance(dump, dict):
        return dump
    result = dict(dump)
    for key in ("framing", "charset", "dialect", "container"):
        choice = result.get(key)
        if isinstance(choice, str):
            result[key] = {"name": choice}
        elif isinstance(choice, dict):
            result[key] = {
                "options": {k: v for k, v in choice.items() if k != "name"},
                **({"name": choice["name"]} if "name" in choice else {}),
            }
    return result


def _normal_mapping(data: dict[str, Any]) -> dict[str, Any]:
    tables = data.get("tables")
    if not isinstance(tables, dict):
        return data
    return {**data, "tables": {name: _normal_table(table) for name, table in tables.items()}}


def _normal_table(table: Any) -> Any:
    if not isinstance(table, dict):
        return table
    result = {("source" if key == "from" else key): value for key, value in table.items()}
    columns = result.get("columns")
    if isinstance(columns, dict):
        result["columns"] = {name: _normal_column(column) for name, column in columns.items()}
    return result


def _normal_column(column: Any) -> Any:
    if isinstance(column, str):
        return {"sources": [column]}
    if not isinstance(column, dict):
        return column
    result = {("sources" if key == "from" else key): value for key, value in column.items()}
    if isinstance(result.get("sources"), str):
        result["sources"] = [result["sources"]]
    transforms = result.get("transforms")
    if isinstance(transforms, list):
        result["transforms"] = [_normal_transform(step) for step in transforms]
    return result


def _normal_transform(step: Any) -> Any:
    if isinstance(step, str):
        return {"name": step}
    if isinstance(step, dict) and len(step) == 1:
        name, params = next(iter(step.items()))
        return {"name": name, "params": params or {}}
    return step


_WRITTEN = {"sources": "from", "source": "from"}


def _problem(error: Any, located: Located, model: type[Spec]) -> Problem:
    path = tuple(_WRITTEN.get(part, part) if isinstance(part, str) else part for part in error["loc"])
    path = tuple(part for part in path if part != "options")
    kind = error["type"]
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        allowed = _keys(model, path[:-1])
        close = difflib.get_close_matches(name, allowed, 1)
        place = located.at(*path, "key")
        return Problem(
            "Y010", place, f"unknown key `{name[:60]}`", allowed, f"did you mean `{close[0]}`?" if close else ""
        )
    if kind == "missing":
        return Problem("Y011", located.at(*path), f"key `{name}` is missing")
    allowed = tuple(str(error.get("ctx", {}).get("expected", "")).replace("'", "").split(" or "))
    return Problem("Y012", located.at(*path), f"`{name}`: {error['msg'].lower()}", tuple(a for a in allowed if a))


def _keys(model: type[Spec], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that a model allows at a path."""
    current: Any = model
    for part in path:
        annotation = None
        if isinstance(current, type) and issubclass(current, pydantic.BaseModel):
            name = {"from": "sources"}.get(str(part), str(part))
            annotation = current.model_fields[name].annotation if name in current.model_fields else None
        else:
            annotation = current
        inner = [a for a in getattr(annotation, "__args__", ()) if a is not type(None) and a is not Ellipsis]
        models = [a for a in inner if isinstance(a, type) and issubclass(a, pydantic.BaseModel)]
        current = models[-1] if models else annotation
        if current is annotation and isinstance(part, str) and not isinstance(annotation, type):
            current = annotation
    if isinstance(current, type) and issubclass(current, pydantic.BaseModel):
        return tuple({"sources": "from", "source": "from"}.get(key, key) for key in current.model_fields)
    return ()


def _check_manifest(
    folder: Path, manifest: Manifest, places: Located, problems: list[Problem], sha256: dict[str, str]
) -> None:
    code = manifest.municipality.code
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        problems.append(
            Problem(
                "Y012", places.at("municipality", "code"), "a municipality code has six digits", ("for example 011002",)
            )
        )
    elif code[5] != check_digit(code):
        problems.append(
            Problem(
                "Y013",
                places.at("municipality", "code"),
                f"the check digit of {code} is wrong",
                (code[:5] + check_digit(code),),
                "the sixth digit is a check digit over the first five (JIS X 0402)",
            )
        )
    expected = f"{code}_{manifest.municipality.romaji}"
    if folder.name != expected:
        problems.append(
            Problem("Y014", places.at("municipality"), f"the folder is called `{folder.name[:60]}`", (expected,))
        )
    _check_share(manifest, places, problems)
    files: dict[str, str] = {}
    for name, dump in manifest.dumps.items():
        place = places.at("dumps", name, "file")
        if Path(dump.file).is_absolute() or ".." in Path(dump.file).parts or not dump.file.strip():
            problems.append(Problem("Y007", place, f"`{dump.file[:80]}` lies outside the inbox"))
        if dump.file in files:
            problems.append(Problem("Y012", place, f"`{dump.file[:80]}` is the file of `{files[dump.file]}` too"))
        files[dump.file] = name
        _text(folder, dump.layout, places.at("dumps", name, "layout"), problems, sha256)
        for option in ("table", "gaiji", "mj", "repertoire"):
            for path in filter(None, map(str.strip, dump.charset.options.get(option, "").split(","))):
                if path in ("any", "jis_x_0208", "jis_x_0213"):
                    continue
                _file(folder, path, places.at("dumps", name, "charset", option), problems, sha256)
        for kind_name, kind in dump.records.items():
            where = places.at("dumps", name, "records", kind_name)
            if (kind.field is None) != (not kind.values):
                problems.append(Problem("Y012", where, "a record kind has both a field and values, or neither"))
        for number, control in enumerate(dump.controls):
            if sum(part is not None for part in (control.count, control.sum, control.value)) != 1:
                where = places.at("dumps", name, "controls", number)
                problems.append(
                    Problem("Y024", where, "a control is a count, a sum or a value", ("count", "sum", "value"))
                )


def _check_share(manifest: Manifest, places: Located, problems: list[Problem]) -> None:
    text = manifest.limits.rejects
    number = text.removesuffix("%")
    valid = number.replace(".", "", 1).isdigit() and number.isascii() and (text.endswith("%") or "." not in number)
    if not valid or (text.endswith("%") and float(number) > 100):
        where = places.at("limits", "rejects")
        problems.append(
            Problem("Y012", where, f"`{text[:20]}` is no limit", ("a whole number", "a share such as 0.5%"))
        )


def _code_tables(mapping: MappingSpec, where: Located) -> Iterable[tuple[str, Position]]:
    for name, table in mapping.tables.items():
        for column_name, column in table.columns.items():
            for number, step in enumerate(column.transforms):
                path = step.params.get("table")
                if isinstance(path, str):
                    at = ("tables", name, "columns", column_name, "transforms", number, step.name, "table")
                    yield path, where.at(*at)


def _read_code_table(
    folder: Path, path: str, place: Position, problems: list[Problem], sha256: dict[str, str]
) -> CodeTable | None:
    text = _text(folder, path, place, problems, sha256)
    if text is None:
        return None
    shown = f"{folder.name}/{path}"
    codes: dict[str, str] = {}
    rows = list(csv.reader(text.splitlines()))
    if not rows or rows[0][:2] != ["old", "new"]:
        problems.append(Problem("Y015", Position(shown), "the first line must be the header", ("old,new,label",)))
        return None
    before = len(problems)
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) < 2 or not row[0] or not row[1]:
            problems.append(Problem("Y015", Position(shown, number), "a line is an old code, a new code and a label"))
        elif row[0] in codes:
            problems.append(Problem("Y015", Position(shown, number), f"old code `{row[0][:20]}` stands twice"))
        else:
            codes[row[0]] = row[1]
    return CodeTable(MappingProxyType(codes), shown) if len(problems) == before else None
