"""The gate's own process: it reads what is asked from its input, a line of JSON each, and answers on its output.

It ends when its input does: whoever opened it has ended, in whatever way.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from validators import suites


def serve() -> None:
    """Answer until nobody asks any more."""
    # An interrupt of the terminal is for whoever opened the gate, and closes it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(asked,), daemon=True).start()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        # What libraries print is no answer.
        os.dup2(2, 1)
        with contextlib.suppress(Exception):
            suites.load()
        while True:
            print(json.dumps(answer(asked.get())), file=answers, flush=True)


def _hear(asked: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


def answer(asked: str) -> dict[str, Any]:
    """The counts; or what failed, in words that hold no value of a row."""
    try:
        return {"counts": dict(suites.evaluate(**json.loads(asked)))}
    except sa.exc.DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None)
        return {"failed": str(error.orig), "database": type(error).__name__, "sqlstate": sqlstate}
    except suites.BrokenRuleError as error:
        return {"failed": str(error)}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return {"failed": f"Great Expectations could not evaluate the rules: {type(error).__name__} at {place}"}


if __name__ == "__main__":
    serve()
