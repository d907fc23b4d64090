"""The PBX's files that a finding names, and where FreePBX has the same. Does not read them."""

MANAGER_FILE = "manager.conf (FreePBX: manager_custom.conf)"
MANAGER_GENERAL = "manager.conf, section [general] (FreePBX: manager_custom.conf, below a line [general](+))"
MODULES_FILE = "modules.conf (FreePBX: Admin, Asterisk Modules)"
