"""An operation is one row of the table and one method of a backend: nothing else knows of `park` and `lot`."""

from operations.other_table import copy_firmware, run

ROWS = r"park|blind|*7|number|call|done|Park at\nlot|attended|#8||call|done|"
WORDS = r"park||the caller was parked at {number}\nlot||the caller was parked"


async def test_a_row_and_a_method_are_all_that_an_operation_needs_from_the_key_to_the_pbx(tmp_path):
    with_number, without = await run("parking_desk.py", copy_firmware(tmp_path, ROWS, WORDS), tmp_path)
    assert (with_number["op"], with_number["number"], with_number["results"]) == ("park", "102", ["accepted", "done"])
    assert ["Park at", "10"] in with_number["lines"]
    assert "keyed *7 and 102. It worked: the caller was parked at 102." in with_number["sentence"]
    assert (without["op"], without["number"], without["results"]) == ("lot", None, ["accepted", "done"])
    assert "keyed #8. It worked: the caller was parked." in without["sentence"]
