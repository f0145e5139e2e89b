"""XML from somebody else, a piece at a time: no document type, so no entities and nothing fetched; bounded in depth and size."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from extractors.containers.contract import Damaged

PIECE = 1 << 16
DEEPEST = 200
LARGEST = 1 << 30
"""Bytes of the largest document that is believed."""

_JAPANESE: Mapping[str, str] = {
    **dict.fromkeys(("shift-jis", "sjis", "x-sjis", "ms-kanji", "windows-31j", "cp932"), "cp932"),
    **dict.fromkeys(("euc-jp", "x-euc-jp"), "euc_jp"),
    "iso-2022-jp": "iso2022_jp",
}

Start = Callable[[str, Mapping[str, str]], None]


class Refused(Exception):  # noqa: N818  it is what a document is: not readable here
    """The document is broken, too large, too deep, or declares a document type."""


def parse(
    file: IO[bytes], *, start: Start, end: Callable[[str], None], text: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Read a document; what it holds is told as it comes, and after each piece it waits.

    Args:
        file: the document.
        start: is told an element's name and attributes; names are without their prefixes.
        end: is told the name of an element that ends.
        text: is told what stands between.

    Raises:
        Refused: it cannot be read further.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Refused(f"elements stand in one another more than {DEEPEST} deep")
        start(name.rpartition(":")[2], attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2])

    def declared(*_: object) -> None:
        raise Refused("it declares a document type, which is not read")

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.StartDoctypeDeclHandler = declared
    if text is not None:
        parser.CharacterDataHandler = text
    size = 0
    decoder = None
    try:
        while block := file.read(PIECE):
            decoder = _decoder(block) if not size else decoder
            size += len(block)
            if size > LARGEST:
                raise Refused(f"it is larger than {LARGEST:,} bytes")
            parser.Parse(block if decoder is None else decoder.decode(block), False)
            yield
        parser.Parse(b"" if decoder is None else decoder.decode(b"", True), True)
    except UnicodeDecodeError:
        raise Refused("bytes that are no characters of the encoding that it declares") from None
    except (LookupError, ValueError):
        raise Refused("it declares an encoding that is not read here") from None
    except expat.ExpatError as error:
        raise Refused(f"line {error.lineno}: {expat.ErrorString(error.code)}") from None
    yield


def _decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    """What reads an encoding that expat does not know, by the declaration of a document; None where expat reads it."""
    found = re.match(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9_.-]{1,40})[\"']", head)
    codec = _JAPANESE.get(found[1].decode().lower().replace("_", "-")) if found is not None else None
    return codecs.getincrementaldecoder(codec)() if codec is not None else None


def damaged(container: str, part: str, refused: Refused) -> Damaged:
    """The damage that a document makes of its container."""
    return Damaged(f"{container}: {part}: {refused}", 0)
