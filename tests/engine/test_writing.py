"""What every writer keeps: errors of the disk, the end of the `with` block, naming a bad cell."""

from pathlib import Path

import duckdb
import pytest

from muniment.engine.writing import SURROGATE, bad_cell, check_columns, disk_errors, leave, remove, sync
from muniment.errors import InputError, UnreachableError
from muniment.table import Table


class Recorder:
    """A writer that notes what is asked of it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.calls: list[str] = []
        self._fails = fails

    def close(self) -> None:
        self.calls.append("close")
        if self._fails:
            raise UnreachableError("full")

    def abort(self) -> None:
        self.calls.append("abort")


def test_leaving_closes():
    writer = Recorder()
    leave(writer, None)
    assert writer.calls == ["close"]


def test_leaving_on_an_error_aborts():
    writer = Recorder()
    leave(writer, RuntimeError)
    assert writer.calls == ["abort"]


def test_a_failed_close_aborts_and_is_told():
    writer = Recorder(fails=True)
    with pytest.raises(UnreachableError):
        leave(writer, None)
    assert writer.calls == ["close", "abort"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), duckdb.IOException("IO Error: no\nmore")])
def test_errors_of_the_disk_name_the_path(error):
    with pytest.raises(UnreachableError, match=r"^out\.csv: cannot be written: (no space|IO Error: no$)"), \
            disk_errors(Path("out.csv")):
        raise error


def test_other_columns_are_refused():
    with pytest.raises(InputError, match="expected the columns a, b, came b, a"):
        check_columns(Path("x"), ("a", "b"), Table(("b", "a"), ([], [])))


def test_a_bad_cell_is_named_by_its_row_in_the_file():
    table = Table(("a", "b"), (["x", "y"], ["z", "\ud800"]))
    error = bad_cell(Path("out"), table, 10, SURROGATE, "half a pair")
    assert str(error) == "out: row 12, column 'b' holds half a pair: this format cannot"


def test_sync_and_remove_leave_devices_alone():
    sync(Path("/dev/null"))
    remove(Path("/dev/null"), Path("/nowhere/at/all"))
    assert Path("/dev/null").exists()
