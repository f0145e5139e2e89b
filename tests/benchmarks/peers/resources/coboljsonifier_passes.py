"""Run by the interpreter that has coboljsonifier: COPYBOOK DATA LENGTH WARM TIMED VALUES."""

import json
import sys
import time
from pathlib import Path

from coboljsonifier.config.parser_type_enum import ParseType
from coboljsonifier.copybookextractor import CopybookExtractor
from coboljsonifier.parser import Parser


def records(copybook, data, length):
    """Give each record as a dictionary."""
    parser = Parser(CopybookExtractor(copybook).dict_book_structure, ParseType.BINARY_EBCDIC).build()
    with Path(data).open("rb") as dump:
        while record := dump.read(length):
            parser.parse(record)
            yield parser.value


def main():
    """Run the passes and print their seconds."""
    copybook, data, length, warm, timed, out = sys.argv[1:]
    seconds, processor = [], 0.0
    for number in range(int(warm) + int(timed)):
        used, start = time.process_time(), time.perf_counter()
        for _ in records(copybook, data, int(length)):
            pass
        if number >= int(warm):
            seconds.append(time.perf_counter() - start)
            processor += time.process_time() - used
    with Path(out).open("w", encoding="utf-8") as values:
        for row in records(copybook, data, int(length)):
            values.write("\t".join("" if value is None else str(value) for value in row.values()) + "\n")
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": processor}) + "\n")


main()
