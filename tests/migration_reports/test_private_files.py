"""Files are for their owner only, and there whole or not at all."""

from __future__ import annotations

import stat

import pytest

from migration_reports.private_files import PART, private_folder, write_whole, written_whole


def test_a_file_and_the_folders_above_it_are_for_their_owner_only(tmp_path):
    file = write_whole(tmp_path / "a" / "b" / "c.json", b"{}")
    assert file.read_bytes() == b"{}"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    private_folder(tmp_path / "open" / "closed")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o755


@pytest.mark.parametrize("durable", [True, False])
def test_what_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path, durable):
    file = write_whole(tmp_path / "a.json", b"before")

    def write():
        with written_whole(file, durable=durable) as half:
            half.write(b"half")
            assert [path.name for path in tmp_path.iterdir() if path.name.startswith(PART)]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]
