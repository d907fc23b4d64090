// MicroPython's ESP32_GENERIC without Bluetooth, as mpconfigboard.cmake beside this file has it.
#include "boards/ESP32_GENERIC/mpconfigboard.h"

#define MICROPY_PY_BLUETOOTH (0)
