"""Derive IBM's tables from the C library's iconv: CCSID 300, 16684 and 1027.

Run it where glibc is the C library: ``python -m extractors.charsets.tables.derive_ibm``.

    ibm300.txt    CCSID 300, the double-byte part of 930 and 939, wards 41 to 68
    ibm16684.txt  what CCSID 16684, the double-byte part of 1390 and 1399, assigns beyond CCSID 300
    ibm1027.txt   CCSID 1027, the single-byte part of 939 (that of 930 is the codec cp290 of the package `ebcdic`)

The codes of the user-defined areas follow a formula and are not written. glibc, ICU 72 and IBM's own ibm-300_P120 and
ibm-16684_P110 agree in all of these codes; where IBM publishes two variants of a symbol of CCSID 300 (444A, 447C, 4260,
43A1, 426A) this is the JIS one. glibc fills the unassigned single bytes of 1390 and 1399 with U+001A: they are left out.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

BYTES = range(0x41, 0xFF)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ROOM = 16


def decoder(name: str) -> Callable[[bytes], str] | None:
    """A function that decodes a few bytes by iconv, U+FFFD where iconv refuses them; None where it has no such code."""
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    library.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.iconv.restype = ctypes.c_ssize_t
    library.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    descriptor = library.iconv_open(b"UTF-8", name.encode())
    if descriptor in (None, ctypes.c_void_p(-1).value):
        return None

    def decode(data: bytes) -> str:
        source, target = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(_ROOM)
        places = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(target))
        left = ctypes.c_size_t(len(data)), ctypes.c_size_t(_ROOM)
        library.iconv(descriptor, None, None, None, None)
        arguments = (ctypes.byref(places[0]), ctypes.byref(left[0]), ctypes.byref(places[1]), ctypes.byref(left[1]))
        result = library.iconv(descriptor, *arguments)
        if result == 0:
            # iconv keeps the last character back: another may follow that makes one with it.
            result = library.iconv(descriptor, None, None, *arguments[2:])
        if result != 0 or left[0].value:
            return REPLACEMENT
        return target.raw[: _ROOM - left[1].value].decode("utf-8")

    return decode


def double_bytes(name: str) -> Iterator[tuple[int, str]]:
    """Every assigned double-byte code of one of IBM's mixed codes, with its text."""
    decode = decoder(name)
    assert decode is not None, f"this iconv has no {name}"
    for lead in BYTES:
        for low in BYTES:
            text = decode(bytes((0x0E, lead, low, 0x0F)))
            if text != REPLACEMENT:
                yield lead << 8 | low, text


def rows(codes: dict[int, str]) -> Iterator[str]:
    """A line a ward: lead byte and the characters of low bytes 41 to FE; then a line for each text of two scalars."""
    for lead in sorted({code >> 8 for code in codes}):
        cells = (codes.get(lead << 8 | low, REPLACEMENT) for low in BYTES)
        yield f"{lead:02X} " + "".join(cell if len(cell) == 1 else REPLACEMENT for cell in cells)
    for code, text in codes.items():
        if len(text) > 1:
            yield f"{code:04X} {text}"


def main() -> None:
    """Write the tables beside this file."""
    library = " ".join(platform.libc_ver())
    folder = Path(__file__).parent
    small = {code: text for code, text in double_bytes("IBM930") if not _private(text)}
    large = {code: text for code, text in double_bytes("IBM1390") if not _private(text) and code not in small}
    shape = [
        "# by extractors/charsets/tables/derive_ibm.py. Each line: lead byte, then the characters",
        "# of low bytes 41 to FE; U+FFFD stands for a code that is not assigned.",
    ]
    for name, title, codes in (
        ("ibm300", f"IBM CCSID 300, wards 41 to 68, derived from iconv IBM930 of {library}", small),
        ("ibm16684", f"IBM CCSID 16684 beyond CCSID 300, derived from iconv IBM1390 of {library}", large),
    ):
        text = "\n".join([f"# {title}", *shape, *rows(codes)])
        folder.joinpath(f"{name}.txt").write_text(text + "\n", encoding="utf-8")
    decode = decoder("IBM939")
    assert decode is not None
    lines = [
        f"# IBM CCSID 1027, derived from iconv IBM939 of {library}",
        "# by extractors/charsets/tables/derive_ibm.py. Each line: a byte, the code point of its character.",
    ]
    for byte in range(256):
        text = decode(bytes((byte,))) if byte not in (0x0E, 0x0F) else chr(byte)
        if len(text) == 1 and text != REPLACEMENT:
            lines.append(f"{byte:02X} {ord(text):04X}")
    folder.joinpath("ibm1027.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _private(text: str) -> bool:
    return "\ue000" <= text <= "\uf8ff"


if __name__ == "__main__":
    main()
