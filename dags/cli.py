"""The `hikkoshi` command: the door. It lists the commands, loads the one that is called, and says what trouble there was.

Exit codes: 0 done; 1 data need attention (findings, a run that was not promoted); 2 a wrong spec or call; 3 a system is
away, try again later.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from dags.commands import COMMANDS
from migration_reports.trouble import RunError, SpecError, TransientError, UsageError


class _Loaded(Mapping[str, TyperCommand | TyperGroup]):
    """The commands by name, each imported when it is taken."""

    def __init__(self) -> None:
        self._known = {command.name: command for command in COMMANDS}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        return self._known[name].load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class Commands(TyperGroup):
    """The commands, listed by what somebody is about."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "commands": _Loaded()})

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  Typer calls it so
        """Write the list of commands of the help, and load none. Typer keeps its own click."""
        room = formatter.width - 6 - max(len(command.name) for command in COMMANDS)
        for title in dict.fromkeys(command.about for command in COMMANDS):
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (command.name, TyperCommand(command.name, help=command.line).get_short_help_str(room))
                        for command in COMMANDS
                        if command.about == title
                    ]
                )


app = typer.Typer(
    name="hikkoshi",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Move municipal data off mainframes: check specs, read dumps, run migrations, roll them back.",
)

ADVICE: Mapping[int, str] = {
    errno.ENOSPC: "Free some space, or let HIKKOSHI_HOME name a folder on another disk.",
    errno.EROFS: "Name a place that can be written.",
    errno.EACCES: "Name a place that you may use, or have its owner let you in.",
    errno.EPERM: "Name a place that you may use, or have its owner let you in.",
    errno.ENOENT: "Look whether the path is right; what is above it must be there.",
    errno.EEXIST: "Name another place; a file stands where a folder should.",
    errno.ENOTDIR: "Name another place; a file stands where a folder should.",
    errno.EISDIR: "Name a file; this is a folder.",
}
"""What to do about what the operating system refuses."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from dags.pipeline.run_folder import program_version  # noqa: PLC0415  only for who asks

        sys.stdout.write(f"hikkoshi {program_version()}\n")
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and the revision, and end."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; turn every kind of trouble into a message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number, and the command goes on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (SpecError, UsageError) as error:
        _end(str(error), 2)
    except RunError as error:
        _end(str(error), 1)
    except TransientError as error:
        _end(str(error), 3)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (ConnectionError, TimeoutError) as error:
        _end(f"{error}. Try again later.", 3)
    except OSError as error:
        _end(_in_words(error), 2)


def process() -> NoReturn:
    """Run the command as a process of its own, and end it without taking apart what was loaded.

    Python takes apart every module and object at an end: of a run that is a fifth of its processor time. Files were closed
    where they were opened; exit functions are called, and what was printed is sent.
    """
    # The collector goes over all that was imported again and again, and what holds rows has no circles.
    gc.set_threshold(50_000, 20, 50)
    code: str | int | None = None
    try:
        main()
    except SystemExit as end:
        code = end.code
    atexit._run_exitfuncs()
    if code is None or isinstance(code, int):
        # Where something cannot be sent, Python's own end says so.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code or 0)
    sys.exit(code)


def _end(message: str, code: int) -> NoReturn:
    from dags.commands import _terminal  # noqa: PLC0415  the help needs no terminal

    _terminal.err.print(message, highlight=False, markup=False, soft_wrap=True)
    sys.exit(code)


def _in_words(error: OSError) -> str:
    """What a file, a folder or the network refused, and what to do."""
    place = f"{error.filename}: " if error.filename is not None else ""
    why = (error.strerror or str(error)).lower()
    do = ADVICE.get(error.errno or 0, "Look whether the path is right and whether you may use it.")
    return f"{place}{why}. {do}"


if __name__ == "__main__":
    process()
