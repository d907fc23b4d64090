# MicroPython's ESP32_GENERIC for an image with the firmware in it: two application slots, and no Bluetooth.
include(${CMAKE_SOURCE_DIR}/boards/ESP32_GENERIC/mpconfigboard.cmake)
include(${CMAKE_SOURCE_DIR}/boards/ESP32_GENERIC/mpconfigvariant_OTA.cmake)

# ESP-IDF keeps 56 KB of this chip's memory for Bluetooth whether it is used or not.
list(REMOVE_ITEM SDKCONFIG_DEFAULTS boards/sdkconfig.ble)
