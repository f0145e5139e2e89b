"""Coverage-guided fuzzing of the reader: copybook text, framings, containers and every usage, by arbitrary bytes.

`python -m tests.fuzz TARGET [atheris options]`, with atheris installed beside the project (it is no dependency of it);
`-max_total_time=600` stops it. Any exception but SpecError and Damaged is a crash, and so is an account that does not
close. `python -m tests.fuzz TARGET --random SECONDS` needs no atheris: it changes good inputs at random. The walks over
descriptor words are compiled with checks of every index, so that a place beyond an array is a crash too.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Before anything is compiled; what is compiled so must not be found by anybody else.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="hikkoshi-fuzz-")

from extractors import charsets, containers, dialects
from extractors.batches import Kind, extract
from extractors.containers.contract import Damaged
from extractors.copybooks.copybook import read_copybook
from extractors.decoder import Blanks
from extractors.framings import FRAMINGS, load
from migration_reports.findings import SpecError

LAYOUTS = [
    "01 R. 05 A PIC X(7). 05 B PIC S9(5). 05 C PIC S9(7) COMP-3. 05 D PIC S9(9) COMP. 05 E PIC N(3). 05 F COMP-2.",
    "01 R. 05 N PIC 9. 05 T OCCURS 0 TO 4 DEPENDING ON N. 10 M PIC 9. 10 U PIC X(2) OCCURS 0 TO 3 DEPENDING ON M. 05 Z"
    " PIC ZZ9.99-.",
    "01 R. 05 K PIC X. 05 G. 10 P PIC S9(31) COMP-3. 05 H REDEFINES G PIC X(16). 05 W PIC S9(41). 05 V PIC S9(20) COMP."
    " 05 L PIC S9(4) SIGN LEADING SEPARATE. 05 Q PIC N(4) NATIONAL. 05 J PIC 9(5)PPP. 05 I PIC 9(5)CR.",
]
# One that must be told its pages would read as `single_byte` does.
CHARSETS = [charsets.load(c.name, {}, Path()) for c in charsets.CHARSETS if c.name != "jis_8080"]
VALUES = ("yes", "no", "big", "little", "words", "fixed", "lf", "crlf", "nl")
NUMBERS = ("0", "1", "2", "3", "4", "8", "64", "200", "-1", "40000", "16777216")
PIECES = (
    b"01 R. ", b"05 A PIC X(3). ", b"OCCURS 0 TO 9 DEPENDING ON N ", b"REDEFINES A ", b"COMP-3", b"PIC S9(4)V99 ", b"88 C VALUE ",
    b"66 B RENAMES A THRU C. ", b"COPY X REPLACING ==A== BY ==B==. ", b"REPLACE OFF. ", b"SYNC ", b"SIGN LEADING SEPARATE ",
    b"PIC ZZ,ZZ9.99CR ", b"BLANK WHEN ZERO", b"\n      *", b"\n      -    '", b".", b"'", b"77 X ", b"INDEXED BY I ", b"999999999 ",
    b"COPY X JOINING W AS PREFIX. ", b"COPY X REPLACING 'A' BY B. ", b"78 N VALUE 3. ", b"X(N)", b"BINARY-LONG ", b":T:-", b"\n      05 ",
    b"LINKAGE SECTION. ", b"FD F. ", b"\n000100\t", b">>IF ", b"CHARACTER TYPE ", b"THRU 'A','B' FALSE 1,2 ",
)  # fmt: skip


def copybook(data: bytes) -> None:
    """Any text is a layout or a SpecError."""
    text = data.decode("utf-8", "replace")
    dialect = dialects.DIALECTS[len(data) % len(dialects.DIALECTS)]
    library = {"X": (text[: len(text) // 2], "x")}
    try:
        layout = read_copybook(
            text, file="fuzz", dialect=dialect, library=library.get, replacing={":T:": "T", "'A'": ""}
        )
    except SpecError as error:
        assert error.problems
        return
    assert all(f.offset + f.width <= layout.length for f in layout.fields() if not f.renames)
    layout.segment(lists=True)


def reading(data: bytes) -> None:
    """Any bytes are read, under any framing, charset and structure, and every byte is accounted for."""
    if len(data) < 4:
        return
    choice, options, data = data[0], data[1], data[4:]
    layout = READ[choice % len(READ)]
    family = FRAMINGS[options % len(FRAMINGS)]
    given = {"field": layout.fields()[0].name} if family.name == "length_field" else {}
    if options & 64:
        # As many of the first bytes as there are options say how each is set.
        said, data = data[: len(family.options)], data[len(family.options) :]
        for (name, doc), byte in zip(family.options.items(), said, strict=False):
            if byte & 3 == 0:
                words = [word for word in VALUES if f"{word} " in doc or f"{word})" in doc or f"{word}," in doc]
                values = words or NUMBERS
                given[name] = values[byte // 4 % len(values)]
    try:
        framing = load(family.name, given, layout)
    except SpecError:
        return
    blanks = Blanks("null", "zero", "null", "read") if choice & 64 else Blanks()
    extraction = extract(
        io.BytesIO(data), name="fuzz", layout=layout, framing=framing, charset=CHARSETS[choice // 8 % len(CHARSETS)],
        kinds=(Kind("r", lists=bool(choice & 128)),), batch_records=1 + options % 5, blanks=blanks,
        fixed_places=bool(options & 128),
    )  # fmt: skip
    for extracted in extraction:
        extracted.batch.validate(full=True)
        extracted.findings.validate(full=True)
    assert extraction.account.closes
    assert extraction.account.bytes == len(data)


def container(data: bytes) -> None:
    """Any bytes are what some container holds, or Damaged."""
    if not data:
        return
    member = containers.CONTAINERS[data[0] % len(containers.CONTAINERS)]
    try:
        stream = containers.load(member.name, {})(io.BytesIO(data[1:]))
        total = 0
        while total < 1 << 22 and (block := stream.read(1 << 16)):
            total += len(block)
    except (Damaged, SpecError):
        pass


READ = [read_copybook(text, file="fuzz") for text in LAYOUTS]
TARGETS: dict[str, Callable[[bytes], None]] = {"copybook": copybook, "reading": reading, "container": container}


def at_random(target: Callable[[bytes], None], name: str, seconds: float) -> int:
    """Change good inputs at random for so long; gives how many were tried."""
    rng = random.Random(1)
    seeds = [text.encode() for text in LAYOUTS] if name == "copybook" else [rng.randbytes(n) for n in (8, 60, 300, 900)]
    end = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < end:
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(0, 12)):
            at = rng.randint(0, len(data))
            kind = rng.randint(0, 3)
            if kind == 0 and data:
                data[min(at, len(data) - 1)] = (
                    rng.choice(b"\x00\xff\x0e\x0f\x28\x29\x40\x0c\x0d\xf0\x20")
                    if rng.random() < 0.5
                    else rng.randint(0, 255)
                )
            elif kind == 1:
                data[at:at] = rng.choice(PIECES) if name == "copybook" else rng.randbytes(rng.randint(1, 20))
            elif kind == 2:
                del data[at : at + rng.randint(1, 20)]
            else:
                data[at:at] = data[: rng.randint(0, len(data))]
        data = data[:20_000]
        try:
            target(bytes(data))
        except Exception:
            sys.stderr.write(f"input: {bytes(data)!r}\n")
            raise
        tried += 1
    return tried


def main() -> int:
    """Fuzz one target."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.stderr.write(f"{__doc__}\ntargets: {', '.join(TARGETS)}\n")
        return 2
    if "--random" in sys.argv:
        tried = at_random(TARGETS[name], name, float(sys.argv[sys.argv.index("--random") + 1]))
        sys.stdout.write(f"{name}: {tried:,} inputs\n")
        return 0
    import atheris

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
