"""`hikkoshi test`: the examples beside the mappings, run."""

from __future__ import annotations

from typing import Annotated

import typer

from dags.commands._terminal import err, out
from migration_reports.trouble import Problem, SpecError

EXAMPLES = (
    "hikkoshi test",
    "hikkoshi test mihon",
    "hikkoshi test mihon --system resident_records",
)


def test(
    municipality: Annotated[
        str | None, typer.Argument(help="One municipality, or the path of its folder; all, where not given.")
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option("--system", help="Only this system's; may be repeated. All, where not given.")
    ] = None,
) -> None:
    """Run examples."""
    from dags.authoring import examples
    from dags.pipeline.folders import municipality_folders
    from dags.pipeline.town import load

    folders = municipality_folders(municipality)
    differ = count = 0
    problems: list[Problem] = []
    for folder in folders:
        # Of all municipalities those are meant that move the system; of one that is named it is asked.
        wanted = [name for name in system if municipality or (folder / name).is_dir()] if system else None
        if wanted == []:
            continue
        try:
            tried = examples.run_examples(load(folder, systems=wanted))
        except SpecError as error:
            problems.extend(error.problems)
            continue
        out.print(f"{folder.name}: {len(tried)} examples", style="bold", highlight=False, markup=False)
        for example in tried:
            count += 1
            if not example.differences:
                left = f"  ({', '.join(example.left_out)}: not filled here)" if example.left_out else ""
                out.print(f"  ok       {example.name}{left}", highlight=False, markup=False, soft_wrap=True)
                continue
            differ += 1
            out.print(f"  differs  {example.name}  ({example.place})", highlight=False, markup=False, soft_wrap=True)
            for line in example.differences:
                out.print(f"             {line}", highlight=False, markup=False, soft_wrap=True)
    if problems:
        raise SpecError(problems)
    if not count:
        err.print("there are no examples; write examples.yaml beside the mapping", highlight=False)
    elif differ:
        err.print(f"{differ} of {count} examples differ", highlight=False)
    if differ:
        raise typer.Exit(1)
