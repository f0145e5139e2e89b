"""Cobrix, on the JVM: its decoder alone, its decoder inside Spark, and its Spark data source.

The data source comes from Maven Central. Where it is not to be had, its decoder still is: a package of PyPI, ztract,
carries Cobrix's `cobol-parser` (Apache licence) for a use of its own; only that jar of the package is used.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl

from tests.benchmarks.peers.measure import INSTALL_SECONDS, RESOURCES, Passes, Word, call, passes, read_values
from tests.benchmarks.peers.python_peers import environment
from tests.benchmarks.peers.workload import RECORD_LENGTH, Workload

SPARK = "3.5.7"
COBRIX = "2.10.1"
CARRIER = "0.1.0.dev1"
"""The version of ztract that carries this version of Cobrix."""
WARM, TIMED = "3", "5"
"""The compiler of the JVM has done its work after two passes over 50 MB."""
SOURCES = (RESOURCES / "CobrixParser.java", RESOURCES / "CobrixSpark.java")
OPENED = ("lang", "lang.invoke", "net", "nio", "util", "util.concurrent", "util.concurrent.atomic")
OPENS = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENED] + [
    f"--add-opens=java.base/sun.{name}=ALL-UNNAMED" for name in ("nio.ch", "nio.cs", "security.action", "util.calendar")
]
"""What Spark asks of Java 17."""
POM = """<project>
<modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>peers</artifactId><version>1</version>
<dependencies>{}</dependencies></project>
"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
SPARK_SQL = ("org.apache.spark", "spark-sql_2.12", SPARK)
SPARK_COBOL = ("za.co.absa.cobrix", "spark-cobol_2.12", COBRIX)


@dataclasses.dataclass(frozen=True, slots=True)
class Parser:
    """Its decoder alone, from records to arrays of Java objects."""

    name: str
    threads: int
    gives: str = "rows of Java objects"
    home: str = "cobrix"
    records: int | None = None

    def install(self, folder: Path) -> str:
        """Install the jar, and compile the program that calls it."""
        _compile(folder, str(_carried(folder)), SOURCES[:1])
        return COBRIX

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it."""
        out = folder / f"values-{self.threads}.tsv"
        words: list[Word] = [workload.copybook, workload.fixed, str(RECORD_LENGTH), str(self.threads), WARM, TIMED, out]
        found = passes(["java", "-cp", f"{folder / 'classes'}:{_carried(folder)}", "CobrixParser", *words])
        return found, read_values(out)


@dataclasses.dataclass(frozen=True, slots=True)
class Spark:
    """On Spark, to the noop sink.

    Attributes:
        source: `spark-cobol` for the data source itself, `parser` for its decoder on Spark's own records of fixed
            length, which is how the data source reads such files.
        threads: of `local[...]`.
    """

    name: str
    source: str
    threads: int
    gives: str = "Spark rows, not kept"
    records: int | None = None

    @property
    def home(self) -> str:
        """A class path a source."""
        return f"cobrix-spark-{self.source}"

    def install(self, folder: Path) -> str:
        """Resolve the jars, and compile the program."""
        if self.source == "parser":
            jars = f"{_resolve(folder, SPARK_SQL)}:{_carried(folder)}"
        else:
            jars = _resolve(folder, SPARK_SQL, SPARK_COBOL)
        (folder / "jars.txt").write_text(jars, "utf-8")
        _compile(folder, jars, SOURCES)
        return f"{COBRIX}, Spark {SPARK}"

    def run(self, folder: Path, workload: Workload) -> tuple[Passes, pl.DataFrame]:
        """Measure it."""
        out = folder / f"values-{self.threads}.tsv"
        jars = (folder / "jars.txt").read_text("utf-8")
        words: list[Word] = [
            self.source,
            workload.copybook,
            workload.fixed,
            str(RECORD_LENGTH),
            f"local[{self.threads}]",
        ]
        command: list[Word] = [
            "java",
            *OPENS,
            "-cp",
            f"{folder / 'classes'}:{jars}",
            "CobrixSpark",
            *words,
            WARM,
            TIMED,
            out,
        ]
        return passes(command), read_values(out)


def _carried(folder: Path) -> Path:
    """The jar of Cobrix's `cobol-parser` and what it needs."""
    environment(folder / "carrier", "--no-deps", f"ztract=={CARRIER}")
    return next((folder / "carrier").glob("lib/python*/site-packages/ztract/engine/ztract-engine.jar"))


def _resolve(folder: Path, *coordinates: tuple[str, str, str]) -> str:
    """The class path of some coordinates, through Maven with its own settings."""
    folder.mkdir(parents=True, exist_ok=True)
    pom, found = folder / "pom.xml", folder / "classpath.txt"
    text = POM.format("".join(DEPENDENCY.format(*each) for each in coordinates))
    if not found.exists() or not pom.exists() or pom.read_text("utf-8") != text:
        found.unlink(missing_ok=True)
        pom.write_text(text, "utf-8")
        words: list[Word] = [
            "mvn",
            "--batch-mode",
            "--quiet",
            "-f",
            pom,
            "dependency:build-classpath",
            f"-Dmdep.outputFile={found}",
        ]
        call(words, seconds=INSTALL_SECONDS)
    return found.read_text("utf-8").strip()


def _compile(folder: Path, jars: str, sources: tuple[Path, ...]) -> None:
    call(["javac", "-cp", jars, "-d", folder / "classes", *sources], seconds=INSTALL_SECONDS)


PARSER_1 = Parser("Cobrix decoder, 1 thread", 1)
PARSER_2 = Parser("Cobrix decoder, 2 threads", 2)
IN_SPARK_1 = Spark("Cobrix decoder in Spark local[1]", "parser", 1)
IN_SPARK_2 = Spark("Cobrix decoder in Spark local[2]", "parser", 2)
SPARK_1 = Spark("spark-cobol local[1]", "spark-cobol", 1)
SPARK_2 = Spark("spark-cobol local[2]", "spark-cobol", 2)
