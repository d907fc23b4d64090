"""The names of this project's environment variables, those of settings and all others. Reads none.

Every name that begins with PHONETERM_ must be one of them, so that a misspelt setting is noticed.
"""

PREFIX = "PHONETERM_"
CONFIG = "PHONETERM_CONFIG"  # the settings file
OTHERS = frozenset(
    {
        CONFIG,
        # the cable
        "PHONETERM_WIFI_SSID",
        "PHONETERM_WIFI_PASSWORD",
        # the labs and the tests
        "PHONETERM_PARTS",
        "PHONETERM_SKIPS",
        "PHONETERM_TEST_RUN",
        # the virtual phone's chip
        "PHONETERM_DISPLAY",
        "PHONETERM_HOST_FD",
        "PHONETERM_IDF_HEAP",
        "PHONETERM_LIVE",
        "PHONETERM_MCU",
        "PHONETERM_PINS",
        "PHONETERM_RESET_CAUSE",
        "PHONETERM_ROM",
        "PHONETERM_RTC",
        "PHONETERM_TICK_MS",
        "PHONETERM_UNIQUE_ID",
    }
)


def variable_of(section: str, key: str) -> str:
    """Return the variable for a setting."""
    return f"{PREFIX}{section.upper()}__{key.upper()}"
