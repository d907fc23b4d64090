def smoke() -> None:
    pass
