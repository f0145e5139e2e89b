"""The embedded server: asked for by several processes, outliving each, wherever its folder lies."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from target_schemas.postgres import server
from target_schemas.postgres.database import connect
from tests.embedded import embedded_server

ASK = "import sys, pathlib; from target_schemas.postgres import server; print(server.embedded_url(pathlib.Path(sys.argv[1])))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    # Longer than a socket's path may be.
    folder = tmp_path_factory.mktemp("long") / ("very-" * 20 + "long")
    yield folder
    server.stop(folder, delete=True)


def ask(folder):
    return subprocess.Popen([sys.executable, "-c", ASK, str(folder)], stdout=subprocess.PIPE, text=True)


def test_processes_that_ask_at_once_get_one_server_which_outlives_them(folder):
    asked = [ask(folder) for _ in range(3)]
    urls = {process.communicate()[0].strip() for process in asked}
    assert [process.returncode for process in asked] == [0, 0, 0]
    assert len(urls) == 1
    (url,) = urls
    with connect(url).connect() as connection:
        connection.execute(sa.text("CREATE TABLE memory (thing text)"))
        connection.commit()
    server.stop(folder)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=sa.engine.make_url(url).query["host"], user="postgres", dbname="postgres")
    with connect(server.embedded_url(folder)).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM memory")).scalar_one() == 0


def test_its_socket_is_out_of_reach_of_other_users_and_of_the_network(folder):
    url = sa.engine.make_url(server.embedded_url(folder))
    host = url.query["host"]
    assert url.host == "localhost"
    assert stat.S_IMODE(Path(host).stat().st_mode) == 0o700
    assert len(os.fsencode(f"{host}/.s.PGSQL.5432")) < 104
    with connect(str(url)).connect() as connection:
        assert connection.execute(sa.text("SHOW listen_addresses")).scalar_one() == ""
        assert connection.execute(sa.text("SHOW server_encoding")).scalar_one() == "UTF8"
        assert connection.execute(sa.text("SHOW log_error_verbosity")).scalar_one() == "terse"


def test_no_folder_above_it_is_opened(tmp_path):
    above = tmp_path / "private"
    above.mkdir(mode=0o700)
    with embedded_server(above / "database", durable=False, delete=True):
        assert stat.S_IMODE(above.stat().st_mode) == 0o700


def test_a_folder_made_anew_does_not_meet_the_data_of_the_former_one(tmp_path):
    folder = tmp_path / "database"
    with embedded_server(folder, durable=False) as url, connect(url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE former (thing text)"))
    folder.rename(tmp_path / "aside")
    with embedded_server(folder, durable=False, delete=True) as url, connect(url).connect() as connection:
        assert connection.execute(sa.text("SELECT to_regclass('former')")).scalar_one() is None
    with embedded_server(tmp_path / "aside", delete=True) as url, connect(url).connect() as connection:
        assert connection.execute(sa.text("SELECT to_regclass('former')")).scalar_one() == "former"


def test_binaries_that_the_servers_user_cannot_reach_are_copied(tmp_path, monkeypatch):
    binaries = tmp_path / "closed" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").write_text("program")
    monkeypatch.setattr(server, "ROOT_FOLDER", tmp_path / "root")
    (tmp_path / "root").mkdir()
    (tmp_path / "closed").chmod(0o700)
    copy = server._reachable(binaries)
    assert copy.is_relative_to(tmp_path / "root")
    assert (copy / "postgres").read_text() == "program"
    assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == 0o700
    assert server._reachable(binaries) == copy
