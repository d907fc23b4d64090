"""The feature codes that a simulated PBX starts with, by the word in its options. Does not know any channel."""

CODES = {
    "letters": {"atxfer": "D", "atxferabort": "A", "atxfercomplete": "C", "atxferswap": "B", "atxferthreeway": "*3"},
    "stock": {"atxfer": "*2", "atxferabort": "*1", "atxfercomplete": "*2", "atxferswap": "*4", "atxferthreeway": "*3"},
    "freepbx": {
        "atxfer": "*2",
        "atxferabort": "*3",
        "atxfercomplete": "*4",
        "atxferswap": "*6",
        "atxferthreeway": "*5",
    },
    "none": {"atxfer": "", "atxferabort": "*1", "atxfercomplete": "*2", "atxferswap": "*4", "atxferthreeway": "*3"},
}
