"""shapefile: a set of map files (.shp .shx .dbf .prj .cpg) as rows of cells: GEOMETRY, and the columns of the .dbf.

    file: [kaoku.shp, kaoku.shx, kaoku.dbf, kaoku.prj, kaoku.cpg]
    container: {name: shapefile, srid: "6677"}

All files of the set are named in the manifest, so that each is received and proved; they are read as one. Or they lie in
one .zip. A geometry is
its WKB in hexadecimal, height kept, measures left out. The .dbf's bytes are those of the dump's charset (shift_jis where
nothing is said). A file that is missing, counts that differ, a .prj of another reference system and rows deleted in the
.dbf, which are not read, are findings; nothing is transformed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

import shapefile
import shapely

from extractors.containers._cells import EMPTY, Cell, head_of, row_of, saying
from extractors.containers.contract import Container, Damaged, pick_number, sought, stream
from extractors.kernels.rows import WRONG, Says

MAGIC = bytes.fromhex("0000270A")
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
SMALL = 65_536
"""Bytes of the largest .prj or .cpg that is believed."""

_UNREADABLE = (
    shapefile.ShapefileException,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    AssertionError,
    OverflowError,
    MemoryError,
)
"""What pyshp raises at bytes that are no shapes."""

shapefile.VERBOSE = False
warnings.filterwarnings("ignore", category=shapefile.PossiblyCorruptFileHeader)
"""What pyshp would print of a head, `_stated` says."""

_ZONES = {"JGD_2011": 6669, "JGD2011": 6669, "JGD_2000": 2443, "JGD2000": 2443, "TOKYO": 30161}
_DEGREES = {
    "JGD_2011": 6668,
    "JGD2011": 6668,
    "JGD_2000": 4612,
    "JGD2000": 4612,
    "TOKYO": 4301,
    "WGS_1984": 4326,
    "WGS_84": 4326,
}
"""EPSG's numbers, by the names that a .prj gives: the first of the 19 plane zones, and of degrees."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Column:
    """A column of a .dbf: its name as it stands, and its place in a row."""

    name: bytes
    kind: str
    at: int
    width: int


class _Table:
    """The rows of a .dbf, in order; None in the place of one that is deleted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        head = file.read(32)
        if len(head) < 32:
            raise Damaged("shapefile: the .dbf has no whole head", 0)
        self.count, size, self._width = struct.unpack_from("<IHH", head, 4)
        fields = file.read(max(size - 32, 0))
        self.columns: list[_Column] = []
        at = 1
        for begin in range(0, len(fields) - 31, 32):
            if fields[begin] == 0x0D:
                break
            name, width = fields[begin : begin + 11].partition(b"\0")[0].strip(), fields[begin + 16]
            self.columns.append(_Column(name, chr(fields[begin + 11]), at, width))
            at += width
        if not self.columns or at != self._width:
            raise Damaged("shapefile: the columns of the .dbf do not fill its rows", 32)
        self.deleted = 0

    def rows(self) -> Iterator[list[Cell] | None]:
        """The cells of each row."""
        for number in range(self.count):
            row = self._file.read(self._width)
            if len(row) < self._width:
                raise Damaged(f"shapefile: the .dbf ends in its row {number + 1} of {self.count}", 0)
            deleted = row[:1] == b"*"
            self.deleted += deleted
            yield None if deleted else [(_content(row[c.at : c.at + c.width]), 0) for c in self.columns]


def _content(cell: bytes) -> bytes:
    return cell.rstrip(b" \0").lstrip(b" ")


def open_shapefile(raw: BinaryIO, options: Mapping[str, str]) -> BinaryIO:
    """Give the rows of the set when its first file is opened, and nothing for the others.

    Raises:
        SpecError: an option cannot be used.
    """
    return stream(_pieces(raw, pick_number(options, "srid", 999_999)))


class _Set:
    """The files of a set by their ends: beside one another, or in an archive."""

    def __init__(self, raw: BinaryIO) -> None:
        self._paths: dict[str, Path] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.main = True
        name = getattr(raw, "name", None)
        raw = sought(raw)
        if zipfile.is_zipfile(raw):
            self._in_archive(zipfile.ZipFile(raw))
        elif isinstance(name, (str, Path)) and Path(name).suffix.lower() in PARTS:
            self._beside(Path(name))
        else:
            raise Damaged("shapefile: no .shp, .shx, .dbf, .prj or .cpg of a set, and no archive of one", 0)

    def _in_archive(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        for member in archive.infolist():
            suffix = Path(member.filename).suffix.lower()
            if suffix in self._members:
                raise Damaged(f"shapefile: the archive holds several {suffix}; a dump is of one set", 0)
            if suffix in PARTS:
                self._members[suffix] = member

    def _beside(self, main: Path) -> None:
        stem = re.sub(r"([*?\[])", r"[\1]", main.stem)
        self._paths = {path.suffix.lower(): path for path in main.parent.glob(f"{stem}.*") if path.is_file()}
        self.main = main.suffix.lower() == next((suffix for suffix in PARTS if suffix in self._paths), "")

    def __contains__(self, suffix: str) -> bool:
        return suffix in self._paths or suffix in self._members

    def open(self, suffix: str) -> BinaryIO:
        """Open one of them."""
        if suffix in self._paths:
            return self._paths[suffix].open("rb")
        return cast(BinaryIO, self._archive.open(self._members[suffix]))

    def size(self, suffix: str) -> int:
        """The bytes of one of them."""
        return self._paths[suffix].stat().st_size if suffix in self._paths else self._members[suffix].file_size

    def text(self, suffix: str) -> str:
        """A small one as text; empty where it is not there."""
        if suffix not in self:
            return ""
        with self.open(suffix) as file:
            return file.read(SMALL).decode("utf-8", "replace").strip()


def _pieces(raw: BinaryIO, srid: int | None) -> Iterator[bytes]:
    try:
        there = _Set(raw)
        if not there.main:
            return
        yield from _missing(there)
        yield from _system(there.text(".prj"), srid)
        if ".dbf" not in there and ".shp" not in there:
            raise Damaged("shapefile: neither the .shp nor the .dbf is there", 0)
        yield from _rows(there)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Damaged(f"shapefile: {type(error).__name__} in the archive", 0) from None


def _missing(there: _Set) -> Iterator[bytes]:
    for suffix in PARTS:
        if suffix not in there:
            what = Says.DIFFERING if suffix in (".shp", ".dbf") else Says.MISSING
            yield saying(what, f"there is no {suffix}")


def _system(prj: str, srid: int | None) -> Iterator[bytes]:
    """What the .prj says against what is expected."""
    if not prj:
        return
    known = srid_of(prj)
    if known is None:
        yield saying(Says.MISSING, "the .prj names a reference system that is not known here")
    elif srid is not None and srid != known:
        yield saying(Says.DIFFERING, f"the .prj says EPSG:{known}, and {srid} is expected")


def srid_of(prj: str) -> int | None:
    """EPSG's number of a reference system that is used in Japan, by the name in a .prj; None where it is another's."""
    name = prj.partition('"')[2].partition('"')[0].upper().replace(" ", "_")
    zone = re.search(r"(?:ZONE_?|CS_)([0-9]{1,2}|[IVX]+)$", name)
    numbers = _ZONES if prj.upper().startswith("PROJCS") else _DEGREES
    base = next((number for key, number in numbers.items() if key in name), None)
    if base is None or numbers is _DEGREES:
        return base
    number = _zone(zone[1]) if zone is not None else 0
    return base + number - 1 if 1 <= number <= 19 else None


def _zone(text: str) -> int:
    if text.isdigit():
        return int(text)
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in text]
    return sum(-one if one < two else one for one, two in itertools.zip_longest(values, values[1:], fillvalue=0))


def _rows(there: _Set) -> Iterator[bytes]:
    """The head, and a row a feature: its geometry with the row of the .dbf that has its number."""
    features = rows = 0
    missing = object()
    with contextlib.ExitStack() as opened:
        table = _Table(opened.enter_context(there.open(".dbf"))) if ".dbf" in there else None
        yield head_of(["GEOMETRY", *(column.name for column in (table.columns if table is not None else ()))])
        shapes = _shapes(opened.enter_context(there.open(".shp"))) if ".shp" in there else iter(())
        cells = table.rows() if table is not None else iter(())
        for shape, row in itertools.zip_longest(shapes, cells, fillvalue=missing):
            features += shape is not missing
            rows += row is not missing
            if row is not None:
                geometry = shape if isinstance(shape, tuple) else EMPTY
                yield row_of([geometry, *(row if isinstance(row, list) else [])])
    if table is not None and table.deleted:
        yield saying(Says.NOT_READ, f"{table.deleted:,} rows are deleted in the .dbf")
    if table is not None and any(column.kind in "MGB" for column in table.columns):
        yield saying(Says.NOT_READ, "the memos of the .dbf lie in another file")
    if features != rows and ".shp" in there and ".dbf" in there:
        yield saying(Says.DIFFERING, f"the .shp has {features:,} features, the .dbf {rows:,} rows")
    if ".shx" in there and ".shp" in there and (indexed := max(there.size(".shx") - 100, 0) // 8) != features:
        yield saying(Says.DIFFERING, f"the .shp has {features:,} features, the .shx {indexed:,}")
    if ".shp" in there and (stated := _stated(there)) != there.size(".shp"):
        yield saying(Says.DIFFERING, f"the .shp says that it has {stated:,} bytes, and it has {there.size('.shp'):,}")
    yield saying(Says.ACCOUNT, f"{features:,} features, {rows:,} rows{_charset(there.text('.cpg'))}")


def _charset(cpg: str) -> str:
    return f"; the .cpg says {cpg[:20]}" if cpg and cpg.isascii() else ""


def _stated(there: _Set) -> int:
    """How many bytes the .shp says it has."""
    with there.open(".shp") as file:
        head = file.read(28)
    return 2 * int.from_bytes(head[24:28], "big")


def _shapes(file: BinaryIO) -> Iterator[Cell]:
    """The geometries of a .shp; one that cannot be made is marked."""
    try:
        for shape in shapefile.Reader(shp=file).iterShapes():
            yield _wkb(shape)
    except _UNREADABLE as error:
        raise Damaged(f"shapefile: {type(error).__name__} in the .shp", 0) from None


def _wkb(shape: shapefile.Shape) -> Cell:
    if shape.shapeType == shapefile.NULL:
        return EMPTY
    try:
        made = shapely.geometry.shape(shape.__geo_interface__)
        return str(shapely.to_wkb(made, hex=True, byte_order=1)), 0
    except (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, LookupError):
        return "", WRONG


CONTAINER = Container(
    name="shapefile",
    doc=__doc__ or "",
    options={"srid": "EPSG's number of the reference system that the .prj must say (not compared)"},
    suffixes=PARTS,
    recognise=lambda head: head.startswith(MAGIC),
    open=open_shapefile,
    rows=True,
)
