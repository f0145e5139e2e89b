"""What a command is: a file of its name, loaded when it is called, and what the list of commands says of it.

The file holds a function of the command's name, whose arguments are those of the command, and `EXAMPLES`: lines that
may be typed. A group's file holds `app`, with its commands in it. What a command works with is imported in its body:
whoever asks for help or completes a word needs none of it.
"""

from __future__ import annotations

import dataclasses
import importlib
from types import ModuleType

import typer
from typer.core import TyperCommand, TyperGroup


def help_with(text: str, *examples: str) -> str:
    """A command's help: what it does, and lines that may be typed."""
    heading = "Example" if len(examples) == 1 else "Examples"
    return f"{text}\n\n\b\n{heading}:\n" + "\n".join(f"  {example}" for example in examples)


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """One command as the registry knows it.

    Attributes:
        name: what is typed, and the file's name.
        about: what somebody is about who uses it; the list of commands stands under these titles.
        line: what it does.
    """

    name: str
    about: str
    line: str

    def load(self) -> TyperCommand | TyperGroup:
        """Import it, as Typer calls it."""
        module = self._module()
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name, help=help_with(self.line, *module.EXAMPLES))(getattr(module, self.name))
        made = typer.main.get_command(app)
        assert isinstance(made, TyperCommand)
        return made

    def _module(self) -> ModuleType:
        return importlib.import_module(f"{__package__}.{self.name}")


@dataclasses.dataclass(frozen=True, slots=True)
class Group(Command):
    """Several commands under one name."""

    def load(self) -> TyperCommand | TyperGroup:
        """Import it, as Typer calls it."""
        made = typer.main.get_group(self._module().app)
        made.name, made.help = self.name, self.line
        return made
