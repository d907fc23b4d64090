"""Where an Asterisk's manager interface is, and which login to use there.

Does not read files or the environment.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AmiSettings:
    """One AMI login. tls_ca: file with the certificate authority to trust, None for the machine's own."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    tls: bool = False
    tls_ca: str | None = None
