"""Containers: one file a thing that dump files come wrapped in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import BinaryIO

from extractors.containers import (
    awstape,
    bzip2,
    gzip,
    het,
    labelled,
    ldif,
    rejects,
    shapefile,
    xlsx,
    xmi,
    xml,
    xz,
    zip,  # noqa: A004
    zstd,
)
from extractors.containers.contract import Container
from extractors.options import choose

CONTAINERS: tuple[Container, ...] = (
    gzip.CONTAINER,
    bzip2.CONTAINER,
    xz.CONTAINER,
    zstd.CONTAINER,
    ldif.CONTAINER,
    shapefile.CONTAINER,
    xlsx.CONTAINER,
    xml.CONTAINER,
    zip.CONTAINER,
    awstape.CONTAINER,
    het.CONTAINER,
    xmi.CONTAINER,
    labelled.CONTAINER,
    rejects.CONTAINER,
)


def load(name: str, options: Mapping[str, str]) -> Callable[[BinaryIO], BinaryIO]:
    """Bind a container to its options.

    Args:
        name: its name in the family.
        options: its own options, as text; their values are judged when a file is opened.

    Raises:
        SpecError: the name or an option is not known.
    """
    return functools.partial(_open, choose("container", name, CONTAINERS, options), dict(options))


def recognise(head: bytes) -> str | None:
    """Name the container of a file that begins so, by its magic alone; None where no container shows itself."""
    return next((container.name for container in CONTAINERS if container.recognise(head)), None)


def _open(container: Container, options: Mapping[str, str], raw: BinaryIO) -> BinaryIO:
    return container.open(raw, options)
