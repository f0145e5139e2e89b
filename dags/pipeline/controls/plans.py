"""What the controls of a system's dumps count, proved against their layouts."""

from __future__ import annotations

from collections.abc import Mapping

from extractors.batches import arrow_schema
from extractors.reading import Reading
from mappings.compiling.controls import compile_controls
from mappings.control_plan import ControlPlan
from mappings.language.folder import SystemFolder


def controls_of(spec: SystemFolder, made: Mapping[str, Reading]) -> Mapping[str, tuple[ControlPlan, ...]]:
    """Compile the controls of a system's dumps.

    Args:
        spec: what the municipality says of the system.
        made: how each dump is read.

    Raises:
        SpecError: with every problem.
    """
    schemas = {
        name: {kind: arrow_schema(made[name].layout, said.group) for kind, said in dump.records.items()}
        for name, dump in spec.manifest.dumps.items()
    }
    return compile_controls(spec, schemas)
