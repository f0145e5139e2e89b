"""Run by the interpreter that has ebcdic-parser: LAYOUT DATA WARM TIMED FOLDER. It writes text files, always."""

import json
import sys
import time

from ebcdic_parser.convert import run


def main():
    """Run the passes and print their seconds."""
    layout, data, warm, timed, folder = sys.argv[1:]
    seconds, processor = [], 0.0
    for number in range(int(warm) + int(timed)):
        used, start = time.process_time(), time.perf_counter()
        failed = run(data, folder, layout, logfolder=folder, verbose=False)
        taken = time.perf_counter() - start
        # It puts a logger in the place of the standard output and leaves it there.
        sys.stdout = sys.__stdout__
        if failed:
            sys.exit("error: it stopped; see its log")
        if number >= int(warm):
            seconds.append(taken)
            processor += time.process_time() - used
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": processor}) + "\n")


main()
