"""The commands: one file a command, or a group of them, each loaded when it is called."""

from __future__ import annotations

from dags.commands.contract import Command, Group

READ, WRITE, RUN, DECIDE = "Read a dump", "Write a mapping", "Run a migration", "Decide"

COMMANDS: tuple[Command, ...] = (
    Command(
        "diagnose",
        READ,
        "Find out how a dump may be read: framing, record length, charset, dialect, with the evidence.",
    ),
    Command("decode", READ, "Write what the bytes of a dump say, one row a record, and the findings beside it."),
    Command("peek", READ, "Show some records field by field; values are masked unless --reveal."),
    Command("roundtrip", READ, "Decode a dump, encode it again and compare the bytes; list every field that differs."),
    Command(
        "profile",
        READ,
        "Show how every field of a dump is really used: filled, invalid, distinct, patterns, dates, gaiji; no values.",
    ),
    Group("charset", READ, "Show charsets; check and convert character table files."),
    Command(
        "draft",
        WRITE,
        "Draft a first mapping from a copybook: guesses with their reasons, and what nobody has decided.",
    ),
    Command("accept", WRITE, "Confirm the guesses of draft: asked one by one, or all, or those that are named."),
    Command(
        "check", WRITE, "Check manifests, layouts, mappings and code tables; print every problem as file:line:column."
    ),
    Command("test", WRITE, "Run the examples beside the mappings (examples.yaml): a record in, rows or findings out."),
    Command(
        "explain",
        WRITE,
        "Explain a column: the way from dump bytes to it, and the line that says so; without a column, the whole mapping; or a code of a problem or a finding.",
    ),
    Command(
        "diff",
        WRITE,
        "Tell what a changed mapping does to a dump: rows, columns and findings that differ; no values, unless --reveal.",
    ),
    Command(
        "lineage",
        WRITE,
        "Show which fields each column is made of: OpenLineage JSON, or the item mapping table (項目マッピング表).",
    ),
    Command("schema", WRITE, "Print a JSON Schema, with which an editor completes and checks a file."),
    Command("synthesize", WRITE, "Write a dump of an invented municipality, with faults listed beside it."),
    Command("run", RUN, "Run a migration: a rehearsal, or the cut-over."),
    Command("runs", RUN, "List the runs that the ledger knows, the latest first."),
    Command("report", RUN, "Write the reports of a run again, and print where they are."),
    Command(
        "rollback",
        RUN,
        "Put back what a municipality had in force before, in production or of its rehearsals, in one transaction.",
    ),
    Command(
        "withdraw",
        RUN,
        "Take a promotion out for good and drop its rows; what was in force before it comes back, if anything was.",
    ),
    Command(
        "capacity",
        RUN,
        "Estimate how long many municipalities take on some workers, from what one was measured to cost.",
    ),
    Command("stop", RUN, "Stop the embedded PostgreSQL of this checkout; its data stay, unless --delete."),
    Group("gaiji", DECIDE, "Export the gaiji ledger of a run; import the decisions."),
    Group("candidates", DECIDE, "Export pairs of numbers that may be one person or firm; import the decisions."),
)
"""In the order in which they are used."""
