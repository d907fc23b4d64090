"""The whole firmware over the cable: flashed, provisioned from the store, rotated and wiped, against a real bridge."""
