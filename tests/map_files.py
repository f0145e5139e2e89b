"""Invented sets of map files, as a survey company hands them over: Shift_JIS, names of ten characters, deleted rows."""

from __future__ import annotations

import io
import struct

import shapefile as pyshp


def map_files(
    shapefile, *, fields=(("NO", "C", 4),), deleted=(), without=(), prj="JGD_2011_Japan_Zone_9", cpg="932", rows=None
):
    """The files of a set by their ends.

    Args:
        shapefile: the features: rings of points, a point, or null.
        fields: of the .dbf: name, type, length, decimals.
        deleted: numbers of rows that are deleted, from 1.
        without: ends of files that are missing.
        rows: of the .dbf; the numbers of the features, where not given.
    """
    rows = rows if rows is not None else [[f"{number:04}"] for number in range(1, len(shapefile) + 1)]
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    kind = (
        pyshp.POINT if any(isinstance(s, list) and isinstance(s[0], (int, float)) for s in shapefile) else pyshp.POLYGON
    )
    with pyshp.Writer(shp=shp, shx=shx, shapeType=kind) as writer:
        for shape in shapefile:
            if shape is None:
                writer.null()
            elif kind == pyshp.POINT:
                writer.point(*shape)
            else:
                writer.poly(shape)
    dbf.write(_table(fields, rows, deleted))
    system = f'PROJCS["{prj}",GEOGCS["GCS"]]' if "Zone" in prj else f'GEOGCS["{prj}"]'
    files = {
        ".shp": shp,
        ".shx": shx,
        ".dbf": dbf,
        ".prj": io.BytesIO(system.encode()),
        ".cpg": io.BytesIO(cpg.encode()),
    }
    return {end: file.getvalue() for end, file in files.items() if end not in without}


def _table(fields, rows, deleted):
    width = 1 + sum(field[2] for field in fields)
    head = bytes([3, 124, 1, 1]) + struct.pack("<IHH", len(rows), 33 + 32 * len(fields), width) + bytes(20)
    for name, kind, length, *decimals in fields:
        head += (
            name.encode("cp932").ljust(11, b"\0")
            + kind.encode()
            + bytes(4)
            + bytes([length, *(decimals or [0])])
            + bytes(14)
        )
    body = b""
    for number, row in enumerate(rows, 1):
        cells = (str(v).encode("cp932").ljust(f[2])[: f[2]] for v, f in zip(row, fields, strict=True))
        body += (b"*" if number in deleted else b" ") + b"".join(cells)
    return head + b"\r" + body + b"\x1a"
