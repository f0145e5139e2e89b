"""What the reader reads, and where each claim is proved: the table of docs/reference/reader.md.

Every file named here exists, and a test holds that.
"""

from __future__ import annotations

COPYBOOK = "tests/cases/copybook.yaml"
FRAMINGS = "tests/cases/framings"
USAGES = "tests/cases/usages"
CONTAINERS = "tests/cases/containers"
CHARSETS = "tests/cases/charsets"
STRUCTURE = "tests/extractors/test_structure.py"

FEATURES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Copybooks",
        (
            (
                "fixed, free and variable reference format, directives, tabs, text past column 72 or from column 7",
                COPYBOOK,
            ),
            (
                "sequence numbers, continuation, comments (`*`, `/`, `*>`), debugging lines, listing statements",
                COPYBOOK,
            ),
            ("conditional compilation, and remarks without an asterisk: refused with a message that says so", COPYBOOK),
            (
                "COPY with REPLACING (pseudo-text, LEADING, TRAILING, parts of words, in parentheses) from a search path; REPLACE",
                COPYBOOK,
            ),
            ("tags of copybooks made for REPLACING, said beside them; COPY JOINING and DISJOINING", COPYBOOK),
            (
                "copybooks in UTF-8, UTF-16, Shift_JIS and EUC-JP; refused where two of them fit",
                "tests/extractors/test_copybook.py",
            ),
            (
                "levels 01 to 49, 66 RENAMES, 77, 88; several 01 levels, or none; levels that differ in a group; whole programs",
                COPYBOOK,
            ),
            ("Japanese data names, half-width kana in columns 73 to 80", COPYBOOK),
            ("EXTERNAL, GLOBAL (with IS), VALUE, JUSTIFIED, BLANK WHEN ZERO, INDEXED BY, KEY", COPYBOOK),
            (
                "PICTURE X A 9 S V P N G B 0 / , . Z * + - CR DB currency; DECIMAL-POINT IS COMMA",
                f"{USAGES}/edited.yaml",
            ),
            ("decimal comma and currency signs said beside the copybook", COPYBOOK),
            ("USAGE in every spelling, inherited from groups, those without a PICTURE and of COBOL 2002 too", COPYBOOK),
            ("constants (level 78, CONSTANT); Fujitsu's clauses of printing", COPYBOOK),
            ("six dialects: sizes, byte order, alignment, PICTURE N, pointers", COPYBOOK),
            ("SIGN LEADING, TRAILING, SEPARATE, inherited from groups", COPYBOOK),
            ("SYNCHRONIZED with its slack bytes, within records and in tables", COPYBOOK),
            (
                "OCCURS, nested; DEPENDING ON, nested, qualified, by a counter in any view, with what follows it",
                COPYBOOK,
            ),
            ("REDEFINES of groups and items, chained, shorter, longer, of varying size; what follows them", COPYBOOK),
            ("hostile copybooks: bounded time, bounded hints", "tests/extractors/test_copybook.py"),
            ("all problems at once, each with line, column and a hint", COPYBOOK),
            ("places and values as GnuCOBOL has them", "tests/extractors/test_gnucobol.py"),
            ("places as Cobrix has them", "tests/extractors/test_cobrix.py"),
        ),
    ),
    (
        "Record formats",
        (
            ("F, FB", f"{FRAMINGS}/fixed.yaml"),
            (
                "V with RDW: big- or little-endian, inclusive or not, adjusted, wider, repeated",
                f"{FRAMINGS}/variable.yaml",
            ),
            ("VB with BDW, long blocks, fixed records in blocks", f"{FRAMINGS}/blocked.yaml"),
            ("VS, VBS spanned", f"{FRAMINGS}/spanned.yaml"),
            ("U", f"{FRAMINGS}/undefined.yaml"),
            ("lines: LF, CR LF, EBCDIC NL", f"{FRAMINGS}/lines.yaml"),
            ("a length field, a length by its value, by an expression", f"{FRAMINGS}/length_field.yaml"),
            (
                "damaged descriptor words: a finding, resynchronising, bytes skipped and counted",
                f"{FRAMINGS}/variable.yaml",
            ),
            ("fixed file headers and trailers, many files as one dump", "tests/extractors/test_stream.py"),
            ("gzip", f"{CONTAINERS}/gzip.yaml"),
            ("bzip2", f"{CONTAINERS}/bzip2.yaml"),
            ("xz", f"{CONTAINERS}/xz.yaml"),
            ("zstd", f"{CONTAINERS}/zstd.yaml"),
            ("zip", f"{CONTAINERS}/zip.yaml"),
            ("AWSTAPE", f"{CONTAINERS}/awstape.yaml"),
            ("HET", f"{CONTAINERS}/het.yaml"),
            ("XMI (TSO TRANSMIT) of sequential data sets", f"{CONTAINERS}/xmi.yaml"),
            ("standard-labelled tape images: VOL1, HDR1/2, EOF1/2", f"{CONTAINERS}/labelled.yaml"),
            ("a run's reject set, to be read once more", f"{CONTAINERS}/rejects.yaml"),
            ("diagnosis of framing, length, charset and dialect", "tests/extractors/test_diagnosis.py"),
            ("damage by a transfer as text, named", "tests/extractors/test_diagnosis.py"),
            ("slices that are read by themselves, by arithmetic or a sparse index", "tests/extractors/test_slicing.py"),
            ("runs over slices that give what the whole gives", "tests/dags/test_cuts.py"),
        ),
    ),
    (
        "Records with structure",
        (
            ("kinds by a value, a set, a range, several fields; numbers of any width and scale", STRUCTURE),
            ("parent and child records with generated keys; orphans are findings", STRUCTURE),
            ("segments and hierarchies as Cobrix test17 has them", "tests/extractors/test_cobrix.py"),
            ("OCCURS as columns or as list columns; ODO records laid out from their own counts", STRUCTURE),
            ("a table of characters as one text, text of another charset, bytes as they are", STRUCTURE),
            ("short records: what is there is kept; long ones are found", STRUCTURE),
            ("REDEFINES resolved by kind; only the wanted fields decoded", "tests/dags/test_reader.py"),
            ("rejects kept with their bytes, for every framing", "tests/extractors/test_framings.py"),
        ),
    ),
    (
        "Values",
        (
            ("zoned, EBCDIC; blank and padded numbers by policy", f"{USAGES}/zoned.yaml"),
            ("zoned, ASCII overpunch of four kinds", f"{USAGES}/zoned_ascii.yaml"),
            ("zoned, leading sign", f"{USAGES}/zoned_leading.yaml"),
            ("separate sign", f"{USAGES}/zoned_separate.yaml"),
            ("packed to 76 digits, sign half bytes by dialect", f"{USAGES}/packed.yaml"),
            ("COMP-6", f"{USAGES}/packed_unsigned.yaml"),
            ("binary of 1 to 16 bytes, COMP-X", f"{USAGES}/binary.yaml"),
            ("binary, little-endian", f"{USAGES}/binary_little.yaml"),
            ("numeric-edited pictures", f"{USAGES}/edited.yaml"),
            ("IBM hexadecimal floating point", f"{USAGES}/float_ibm.yaml"),
            ("IEEE 754 floating point", f"{USAGES}/float_ieee.yaml"),
            ("IEEE 754, little-endian", f"{USAGES}/float_ieee_little.yaml"),
            ("national UTF-16", f"{USAGES}/utf16.yaml"),
            ("double-byte text without shifts", f"{USAGES}/national.yaml"),
            ("single-byte text and kanji between shifts", f"{USAGES}/mixed.yaml"),
            ("raw bytes", f"{USAGES}/raw.yaml"),
            ("numbers of 39 to 76 digits in JSON lines, Parquet and Arrow", "tests/dags/test_reader.py"),
            ("round trip of a whole dump", "tests/extractors/test_diagnosis.py"),
        ),
    ),
    (
        "Characters",
        (
            ("IBM CCSID 930, 939, 1390, 1399, 5026, 5035, 931", f"{CHARSETS}/ibm.yaml"),
            ("Fujitsu JEF with EBCDIK, EBCDIC or ASCII; forms of 1978 or 1983", f"{CHARSETS}/fujitsu.yaml"),
            ("Hitachi KEIS78, KEIS83, KEIS90", f"{CHARSETS}/hitachi.yaml"),
            ("NEC JIPS(J) and JIPS(E)", f"{CHARSETS}/nec.yaml"),
            ("Unisys LETS-J", f"{CHARSETS}/unisys.yaml"),
            ("JIS X 0208 + 8080 with shift codes of its own", f"{CHARSETS}/jis_8080.yaml"),
            ("ISO-2022-JP escapes in fixed columns", f"{CHARSETS}/iso_2022_jp.yaml"),
            ("Shift_JIS, Windows-31J, Shift_JIS-2004", f"{CHARSETS}/shift_jis.yaml"),
            ("EUC-JP with JIS X 0212, EUC-JIS-2004", f"{CHARSETS}/euc_jp.yaml"),
            ("UTF-8", f"{CHARSETS}/utf_8.yaml"),
            ("UTF-16", f"{CHARSETS}/utf_16.yaml"),
            ("single-byte code pages", f"{CHARSETS}/single_byte.yaml"),
            (
                "every code of every charset decoded and written back; glibc's iconv agrees",
                "tests/extractors/test_charsets.py",
            ),
            ("table files: CSV, .ucm, jef4j, unijef, HULFT; MJ names", "tests/extractors/test_table_files.py"),
            ("gaiji from dump to ledger, decided and read back", "tests/dags/test_gaiji.py"),
        ),
    ),
    (
        "Beside the dumps",
        (
            ("files that come together, each proved by its own header and trailer", "tests/dags/test_deliveries.py"),
            ("attachments in folders and ZIP archives, byte for byte", "tests/dags/test_attachments.py"),
            ("hostile archives: names that lead away, links, bombs, overlaps", "tests/extractors/test_attachments.py"),
        ),
    ),
    (
        "Not read",
        (
            ("national numbers (PICTURE 9 USAGE NATIONAL): refused by clause", COPYBOOK),
            ("partitioned data sets in XMI (IEBCOPY unloads): refused with a message", f"{CONTAINERS}/xmi.yaml"),
            ("a counter of DEPENDING ON that is text: refused", COPYBOOK),
            (
                "kana of ISO-2022-JP by ESC ( I or by SO and SI: their escape is a finding",
                f"{CHARSETS}/iso_2022_jp.yaml",
            ),
        ),
    ),
)
"""(area, ((what, the file that proves it), ...))."""
