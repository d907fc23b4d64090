"""An operation is one row of the table and one method of a backend: nothing else in the project knows `park`."""

from operations.other_table import copy_firmware, run

ROW = "park|blind|*7|number|call|done|Park at"
WORDS = "park||the caller was parked at {number}"


async def test_a_row_and_a_method_are_all_that_an_operation_needs_from_the_key_to_the_pbx(tmp_path):
    said = await run("parking_desk.py", copy_firmware(tmp_path, ROW, WORDS), tmp_path)
    assert (said["op"], said["number"], said["results"]) == ("park", "102", ["accepted", "done"])
    assert ["Park at", "10"] in said["lines"]
    assert "keyed *7 and 102. It worked: the caller was parked at 102." in said["sentence"]
