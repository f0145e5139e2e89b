"""The codes of problems, from every stage that has some: what each means, how it is mended, and where its page is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from dags.guarded.secrets import PROBLEMS as SECRET_PROBLEMS
from dags.own.lists import PROBLEMS as OWN_PROBLEMS
from extractors.copybooks.copybook import PROBLEMS as COPYBOOK_PROBLEMS
from extractors.layout.column_sheet import PROBLEMS as COLUMN_PROBLEMS
from extractors.reading import PROBLEMS as READING_PROBLEMS
from mappings.language.problems import PROBLEMS as MAPPING_PROBLEMS
from target_schemas.reference_sheets import PROBLEMS as REFERENCE_PROBLEMS
from target_schemas.sheets import PROBLEMS as SHEET_PROBLEMS
from validators.instances import PROBLEMS as RULE_PROBLEMS

PROBLEMS: Mapping[str, str] = MappingProxyType(
    dict(
        sorted(
            {
                **COPYBOOK_PROBLEMS,
                **COLUMN_PROBLEMS,
                **READING_PROBLEMS,
                **MAPPING_PROBLEMS,
                **OWN_PROBLEMS,
                **SECRET_PROBLEMS,
                **SHEET_PROBLEMS,
                **REFERENCE_PROBLEMS,
                **RULE_PROBLEMS,
            }.items()
        )
    )
)
"""What each code means."""

MEND: Mapping[str, str] = MappingProxyType(
    {
        "L001": "Save the copybook as UTF-8; a file of more than 4 MB is no copybook.",
        "L002": "Break the line; a copybook's lines have 80 characters at most, free ones a few hundred.",
        "L003": "Column 7 holds a blank, `*`, `/`, `-` or `D`. Is the text shifted, or is it in free format? Then say `options: {source_format: free}`.",
        "L004": "Close the literal with the quote that opened it; to continue one on the next line, put `-` in column 7.",
        "L005": "Look whether the text past column 72 is meant. If it is no more than a mark, nothing needs to be done.",
        "L006": "Look whether the copybook was moved by a column. If its text is whole, nothing needs to be done.",
        "L007": "Find out which branch the programs were compiled with; leave it, and remove the others and the directives.",
        "L010": "Begin the entry with its level number, or end the entry before it with its own period only.",
        "L011": "Give the entry a level of 01 to 49; 66, 77 and 88 have meanings of their own.",
        "L012": "End every entry with a period.",
        "L013": "Name the file that holds the record's description; it begins with `01 NAME.`",
        "L014": "Look whether the copybook is whole. If it is copied below an 01 of the program, nothing needs to be done.",
        "L015": "Look whether the item belongs where the note puts it. If it does, nothing needs to be done.",
        "L016": "Look whether the dump's record is among those that are read. If it is, nothing needs to be done.",
        "L020": "A name has 1 to 63 letters, digits and hyphens (Japanese characters too), no hyphen at either end. Say what stands for a tag of COPY REPLACING with `--replace` or `replacing:`.",
        "L030": "Correct the clause; where it looks right, a period is missing before it.",
        "L032": "Remove one of the two clauses.",
        "L033": "Complete the clause: `OCCURS 4 TIMES`, `PIC X(10)`, `OCCURS 1 TO 4 DEPENDING ON NAME`.",
        "L040": "Write the PICTURE with symbols that its dialect knows, and close its parentheses.",
        "L041": "An item has a PICTURE or items below it, never both and never neither.",
        "L042": "Text is DISPLAY or NATIONAL; packed and binary items are numbers. Correct whichever of the two is wrong.",
        "L050": "Give OCCURS a count that the record has room for.",
        "L051": "DEPENDING ON names a whole number that stands before the table, outside of any table of varying size.",
        "L060": "REDEFINES names an item of the same group and level that stands before it.",
        "L061": "RENAMES names items of the same record that stand before it.",
        "L062": "Map the items that it names; their place is found in each record.",
        "L070": "Look for a count or length with a digit too many; if the record is that large, split its description.",
        "L080": "Put the copied text beside the copybook, under the name that COPY says.",
        "L081": "Copy another text; a text that copies itself never ends.",
        "L120": "Save the sheet as CSV; its first line is `field,heading,type,length`, and each other line a column.",
        "L121": "Take a type that is allowed; days, codes and the like are text, and transforms read them.",
        "L122": "Write the characters of a text, the digits of a number with its decimals behind a point, or the bytes of a geometry.",
        "L123": "Give each column a name of its own, of letters, digits, - and _.",
        "L124": "Name a sheet of columns (layouts/NAME.csv) for rows of cells, and a copybook for records; docs/guide/files.md tells when.",
        "L125": "See in which charset the file is: text files with separators are utf_8 or shift_jis nearly always.",
        "L126": "Decode it: the account of `hikkoshi decode` closes to the last byte, and its findings name every row that is odd.",
        "L901": "Save the table file as UTF-8 or Shift_JIS text, in one of the forms that `hikkoshi charset convert` reads.",
        "L902": "Write a code and its character's scalar value, both hexadecimal: `6EA4,9AD9`.",
        "L903": "Take a name that is allowed; docs/reference/reader.md and charsets.md list every member and option.",
        "L904": "Take a value that is allowed. A record length must be that of the copybook.",
        "L905": "Tell record kinds apart by a field that stands before any table of varying size.",
        "L906": "Write `--kind NAME=FIELD:VALUES:GROUP`.",
        "L907": "Take a value that is allowed; what a file holds is known when it is opened, so this comes with the dump.",
        "L908": "Write a value that fits the field's PICTURE and length.",
        "L909": "Give each kind a name of its own, and a parent that stands above it; one without a parent begins a family.",
        "L911": "Remove one of the two lines.",
        "L912": "Remove the line: the vendor's standard area is known, and a table says what the site added to it.",
        "L913": "Write the character that the code stands for: one scalar, or one with a variation selector.",
        "L914": "Name a field or table of characters (PICTURE X); write `text`, `bytes` or `{as: text, charset: shift_jis}`.",
        "L930": "Correct the line; its columns are code, decision, text, mj, reason, decided_by, decided_on.",
        "L931": "Remove the decision: the code is a standard character, and reads as one.",
        "L932": "Name Unihan_OtherMappings.txt, a CSV with MJ文字図形名 and 実装したUCS, or mojidata's database.",
        "R001": "Take a shape of docs/reference/rules.md; it stands first, before `of`.",
        "R002": "Give the parameters that the shape takes; docs/reference/rules.md says which, with an example of each.",
        "R003": "Take a table of docs/reference/systems.md; one of another system is written with it: `system.table`.",
        "R004": "Take a column of the table; a date is named by its group (`birth`, not `birth_key`).",
        "R005": "Take a column of the type that the shape compares; dates with dates, numbers with numbers.",
        "R006": "Correct the condition at the character that is named: columns bare, texts in single quotes.",
        "R020": "Say of each name under `beside` a value to be computed, or which rows (of) and what ties them (per, day, if).",
        "R021": "Give the list in the form, and of the length, that the shape takes.",
        "S001": "Put the sheet where it belongs and save it as CSV UTF-8; a cell with a comma or a quote stands in quotes.",
        "S002": "Write the header as docs/reference/sheets.md says it; columns may stand in any order.",
        "S003": "Take a value that is allowed.",
        "S010": "Name an edition of system.yaml; editions stand in the order of their days.",
        "S011": "Give the later line a later edition in `since`, or remove one of the two.",
        "S012": "Give the item of another type a name of its own, and end the old one by `until`.",
        "S013": "Name a set of codes/code_sets.csv whose codes fit the item's length: `sex`, `relationship*2`, `change_reason@changed`.",
        "S014": "Name a date item (type D) of the same table that every edition with the code has.",
        "S015": "Give the item another name: a date's columns end in _source, _key and _precision, a geometry's in _srid, _wkb, _area, _valid and the names of its four sides, an attachment's in _path, _bytes and _sha256.",
        "S020": "Each set is one line of codes/code_sets.csv and one file of its name; only an open set may have none.",
        "S021": "Give each line of the code its own time, or remove one.",
        "S030": "Name the table in both sheets: what it is in system.yaml, its items in items.csv.",
        "S031": "Mark the items of the key with 1, and make each mandatory in every edition that has the table.",
        "S032": "Name the other table in the item's column reference, and say under `references:` what becomes of a row that names nobody.",
        "S033": "Begin the rule with its shape, then say `of`, its parameters, and its `source`.",
        "S040": "Each reference table is one line of reference_tables.csv, its columns lines of items.csv, and a file of its name.",
        "S041": "Take another name or type; valid_from, valid_to and source are every table's, and what is looked up by is mandatory.",
        "S042": "Give each line of the key its own time, or remove one.",
        "S043": "Name what says so in the column source, or once for all lines in reference_tables.csv.",
        "S044": "Leave out what the shared set has; a code of your own fits the items that hold it.",
        "S045": "Name date items of the table that every edition has; `on:` is for a reference to a table that has a period.",
        "S050": "Name a table of system.yaml, or another system's as `system.table`; each row has a number of its own.",
        "S051": "Name an item of the table as items.csv does; of another table by `equal: {own item: its item}`.",
        "Y001": "A manifest or mapping has at most 1,000,000 characters and 30 levels; look for brackets that do not close.",
        "Y002": "Correct the YAML at this place: often a bracket, a quote or an indentation that differs from its neighbours.",
        "Y003": "Write the value out; every value is read as text, so tags are never needed.",
        "Y004": "Make the key a single text.",
        "Y005": "Remove one of the two keys, or merge what is below them.",
        "Y006": "Put the file where the spec says, inside the system's folder or its package's, as UTF-8.",
        "Y007": "Copy the file into the system's folder and name it by a relative path.",
        "Y010": "Correct the key, or move it to where it is allowed.",
        "Y011": "Add the key. `reason:` says why a field is left, for whoever audits the move.",
        "Y012": "Take a value that is allowed.",
        "Y013": "Look the code up (全国地方公共団体コード); its sixth digit is computed from the other five.",
        "Y014": "Name the folder <code>_<romaji>, as the manifest says them.",
        "Y015": "Correct the line of the CSV: old code, new code, label, and from when to when the line holds.",
        "Y020": "Name a record kind of the manifest as dump.kind.",
        "Y021": "Name a field as the copybook does; an occurrence as NAME(1), a field of a joined record as ALIAS.NAME.",
        "Y022": "Map the field to a column, or list it under `ignore:` with the reason.",
        "Y023": "Remove the field from `ignore:`, or from the column.",
        "Y024": "A control is a count of kinds, the sum of numbers, a hash of keys or the value of a field, and what it must equal.",
        "Y025": "Map the field, or replace the question mark by the reason why it is left.",
        "Y026": "Look at the field's values (`hikkoshi profile`), then confirm the guess: `hikkoshi accept`, or remove the line `guessed:`.",
        "Y027": "Name an item of the copybook that has OCCURS.",
        "Y028": "Join on fields of one type, or on parent where the manifest says which kind belongs to which.",
        "Y030": "Take a system or a table of docs/reference/systems.md; each folder of a municipality has a system's name.",
        "Y031": "Take a column of the table; a date is named by its group (`birth`, not `birth_key`).",
        "Y032": "Fill the column; where it may be empty, list it under `empty:`.",
        "Y033": "Add the transform that makes the column's type of the field's; docs/reference/transforms.md says what each takes and gives.",
        "Y034": "Correct the new code in the code table, or the constant or default; docs/reference/systems.md lists the codes.",
        "Y040": "Take a transform of docs/reference/transforms.md.",
        "Y041": "Give the parameters that the transform takes; docs/reference/transforms.md says which.",
        "Y042": "Say one way to fill the column: from, constant or expression; several values are joined by concat.",
        "Y043": "Take a rule and its settings of docs/reference/rules.md; on_error and at_most may be set for each.",
        "Y044": "Correct the SQL: fields in double quotes, texts in single ones, whole numbers divided by //.",
        "Y070": "Give the join another name: `header.FIELD` is the field of the dump's own header.",
        "Y071": "Name a field of one value, a text or a whole number, that holds what the parameter asks for.",
        "Y072": "Say `reference_date:` in the municipality's manifest, or name a field that holds the day, or the day itself.",
        "Y100": "Say `equals: FILE.csv#column`, the control file and its column, or a trailer's field that comes once for each group.",
        "Y101": "Say the unit with the rounding, a modulus with `hash`, and neither of them with `per: parent`.",
        "Y102": "Give the record kinds that are counted one `parent:`, and let that, or another of its children, state the number.",
        "Y103": "Say in a few words why such records are left, and by `when:` which of them are.",
        "Y050": "Name a part of the package by its keys, with dots; `without:` is for a municipality that is based on one.",
        "Y051": "Name a folder of packages/; a package itself is based on nothing.",
        "Y060": "Take $occurrence, or $occurrence(TABLE) of a table around; of runs $from, $to and $value. Each needs `each:`.",
        "Y061": "Name a table whose occurrences hold one value each, such as PIC 9 OCCURS 48, and the values as it holds them.",
        "Y081": "Leave the column out: it numbers, in the order of their arrival, the rows of one key whose dates are not known.",
        "Y083": "Look whether a line is missing. If none held then, nothing needs to be done.",
        "Y082": "List the field under `ignore:`; the system's `refuse:` says which kinds of secrets it does not take.",
        "Y110": "List every file of the set under `file:`, so that each is received and proved, or hand it over as one .zip.",
        "Y080": "Name the list as what it is of: own/codes/<open code set>.csv or own/tables/<reference table>.csv.",
        "Y090": "Name dumps of this manifest, or other files with their endings; each belongs to one delivery.",
        "Y091": "Say under `per:` of the delivery what the name stands for; {date}, {yymmdd} and {month} stand for a day.",
        "Y092": "Say in which folder or ZIP of the inbox the files lie, and which text fields of the record hold a file's path and SHA-256, and which number its bytes.",
        "Y115": "Correct the line: candidates, two numbers, same, different or later, why, who, and on which day (YYYY-MM-DD).",
        "Y116": "Name candidates that the system's sheet declares; docs/reference/systems.md lists them.",
        "Y117": "Look the numbers up again, and withdraw or correct one of the lines that are named.",
        "Y118": "Resolve a column that refers to the number; the number of a row itself stays.",
    }
)
"""What to do about each code."""

NO_EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        "L002": "a line of more than 10,000 characters would fill the page",
        "L005": "a note: the copybook is read",
        "L006": "a note: the copybook is read",
        "L014": "a note: the copybook is read",
        "L015": "a note: the copybook is read",
        "L016": "a note: the copybook is read",
        "L062": "a note: the copybook is read",
        "L905": "of a manifest, Y021 is said before it; it stays for `hikkoshi decode --kind`",
        "L906": "it speaks of `--kind` on a command line",
        "L907": "it needs a file that holds several",
        "L126": "it speaks of the command `roundtrip`",
        "Y083": "a note: the municipality's specs can be used",
        "Y081": "no shipped system has such a column",
        "Y082": "no shipped layout holds a secret",
    }
)
"""The codes that no edit of a shipped municipality shows, and why."""


EXAMPLES = tuple(
    Path(__file__).resolve().parents[2] / "tests" / "golden" / f"{name}.md"
    for name in ("broken_mappings", "broken_sheets")
)
"""Deliberately broken specs and what is said of each, which tests prove; only a checkout has it."""


def section(code: str) -> tuple[str, ...]:
    """What a code means, how it is mended, and in a checkout its examples: its section of the reference page.

    Raises:
        KeyError: there is no such code.
    """
    what = PROBLEMS[code]
    lines = [f"## {code}", "", f"{what[0].upper()}{what[1:]}.", "", f"To mend it: {MEND[code]}", ""]
    if code in NO_EXAMPLE:
        return (*lines, f"There is no example: {NO_EXAMPLE[code]}.", "")
    for title, body in _examples().get(code, ()):
        lines += [f"### {code}: {title}", "", *body.splitlines(), ""]
    return tuple(lines)


@functools.cache
def _examples() -> Mapping[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    text = "".join(page.read_text("utf-8") for page in EXAMPLES if page.is_file())
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        code, _, name = title.partition(" ")
        found[code] = (*found.get(code, ()), (name, body.strip()))
    return found


def page_of(code: str) -> str:
    """The address of a code's section, relative to the checkout."""
    return f"docs/reference/problems.md#{code.lower()}"
