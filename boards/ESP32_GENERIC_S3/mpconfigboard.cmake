# MicroPython's ESP32_GENERIC_S3 for an image with the firmware in it: two application slots, and no Bluetooth.
include(${CMAKE_SOURCE_DIR}/boards/ESP32_GENERIC_S3/mpconfigboard.cmake)

# It has no OTA variant of its own; what that of ESP32_GENERIC says of partitions and size holds for every chip.
list(APPEND SDKCONFIG_DEFAULTS boards/ESP32_GENERIC/sdkconfig.ota)

# Memory and room in the slots for what is used.
list(REMOVE_ITEM SDKCONFIG_DEFAULTS boards/sdkconfig.ble)
