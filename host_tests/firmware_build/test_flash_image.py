"""Reading a whole image for a flash, and refusing files that are none."""

import pytest
from firmware_build.flash_image import NotAnImage, parse_flash_image
from firmware_build.whole_image import ONE_SLOT, TWO_SLOTS, make_whole_image


@pytest.mark.parametrize(("number", "mcu", "offset"), [(0, "esp32", 0x1000), (5, "esp32c3", 0), (9, "esp32s3", 0)])
def test_an_image_says_its_chip_its_slots_and_what_is_in_it(number, mcu, offset):
    image = parse_flash_image(make_whole_image(offset, number), offset)
    assert (image.mcu, image.slots, image.slot_bytes) == (mcu, 2, 0x180000)
    assert image.application_bytes == 1024
    assert image.has_firmware


def test_a_stock_image_has_one_slot_and_not_the_firmware():
    image = parse_flash_image(make_whole_image(partitions=ONE_SLOT, names=b"asyncio/core.py\0"), 0x1000)
    assert (image.slots, image.has_firmware) == (1, False)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no image of MicroPython that begins with the chip's boot loader"),
        (b"<!DOCTYPE html>" + b" " * 100000, "is no image of MicroPython"),
        (make_whole_image()[:0x7000], "is no image of MicroPython"),
        (make_whole_image(chip=77), r"is for a chip that is not known here \(number 77\)"),
        (make_whole_image(flash_offset=0), "has no table of partitions where one that is written to 0x1000 has it"),
        (make_whole_image()[: 0x10000 - 0x1000], "has no application in its first slot: it is not complete"),
        (make_whole_image()[:-1], "is damaged or cut off: get it anew"),
        (make_whole_image()[: 0x10000 - 0x1000 + 40], "is damaged or cut off: get it anew"),
        (make_whole_image()[: 0x10000 - 0x1000 + 1], "is damaged or cut off: get it anew"),
        (make_whole_image().replace(b"assembly", b"assembIy"), "is damaged or cut off: get it anew"),
        (make_whole_image(partitions=((0, 0, 0x10000, 1000),)), "is 24 bytes longer than its first slot"),
    ],
    ids=[
        "empty",
        "a web page",
        "cut off",
        "another chip",
        "for another place",
        "without application",
        "cut off at the end",
        "cut off in a segment",
        "cut off in its header",
        "damaged",
        "too long",
    ],
)
def test_what_is_no_image_is_told(content, sentence):
    with pytest.raises(NotAnImage, match=sentence):
        parse_flash_image(content, 0x1000)


def test_a_table_that_is_cut_off_has_the_slots_that_are_there():
    assert parse_flash_image(make_whole_image(partitions=TWO_SLOTS[:3]), 0x1000).slots == 1
