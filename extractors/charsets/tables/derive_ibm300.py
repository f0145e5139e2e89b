"""Derive the table of IBM CCSID 300 (the double-byte part of CCSID 930) from the C library's iconv.

Run it where glibc is the C library: ``python -m extractors.charsets.tables.derive_ibm300``.
The codes of the user-defined area (6941 and above) follow a formula and are not written.
glibc, ICU 72 and IBM's own ibm-300_P120 agree in all of these codes; where IBM publishes two variants of a symbol
(444A, 447C, 4260, 43A1, 426A) this is the JIS one.
"""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

FIRST_WARD, LAST_WARD = 0x41, 0x68
FIRST_BYTE, LAST_BYTE = 0x41, 0xFE


def decode_pair(library: ctypes.CDLL, descriptor: int, code: int) -> str:
    """Decode one double-byte code between shift-out and shift-in; U+FFFD where iconv refuses it."""
    source = ctypes.create_string_buffer(bytes((0x0E, code >> 8, code & 0xFF, 0x0F)), 4)
    target = ctypes.create_string_buffer(16)
    library.iconv(descriptor, None, None, None, None)
    source_at, target_at = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(target))
    source_left, target_left = ctypes.c_size_t(4), ctypes.c_size_t(16)
    result = library.iconv(
        descriptor,
        ctypes.byref(source_at),
        ctypes.byref(source_left),
        ctypes.byref(target_at),
        ctypes.byref(target_left),
    )
    if result != 0 or source_left.value:
        return "\N{REPLACEMENT CHARACTER}"
    return target.raw[: 16 - target_left.value].decode("utf-8")


def main() -> None:
    """Write ibm300.txt beside this file: a line a ward, its 190 characters from low byte 41 to FE."""
    library = ctypes.CDLL(None)
    library.iconv_open.restype = ctypes.c_void_p
    library.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.iconv.restype = ctypes.c_ssize_t
    library.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
    descriptor = library.iconv_open(b"UTF-8", b"IBM930")
    lines = [
        f"# IBM CCSID 300, wards 41 to 68, derived from iconv IBM930 of {' '.join(platform.libc_ver())}",
        "# by extractors/charsets/tables/derive_ibm300.py. Each line: lead byte, then the characters",
        "# of low bytes 41 to FE; U+FFFD stands for a code that is not assigned.",
    ]
    for ward in range(FIRST_WARD, LAST_WARD + 1):
        row = "".join(decode_pair(library, descriptor, ward << 8 | low) for low in range(FIRST_BYTE, LAST_BYTE + 1))
        lines.append(f"{ward:02X} {row}")
    Path(__file__).with_name("ibm300.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
