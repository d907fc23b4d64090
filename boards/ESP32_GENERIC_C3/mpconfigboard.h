// MicroPython's ESP32_GENERIC_C3 without Bluetooth, as mpconfigboard.cmake beside this file has it.
#include "boards/ESP32_GENERIC_C3/mpconfigboard.h"

#define MICROPY_PY_BLUETOOTH (0)
