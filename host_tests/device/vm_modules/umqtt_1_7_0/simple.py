"""Handles a TLS context like umqtt.simple 1.7.0, which the images of 1.27 and 1.28 have; attributes are the same.

Does not make packets: they come from the real 1.3.4, which is `umqtt_1_3_4` here. A test on a chip compares this with
the real one.
"""

import sys

from umqtt_1_3_4.simple import MQTTClient as Earlier


class MQTTClient(Earlier):
    """The client that passes its context on through `ussl`."""

    def connect(self):
        """Connect with the context and its host name."""

        class Ussl:
            @staticmethod
            def wrap_socket(sock):
                return self.ssl.wrap_socket(sock, server_hostname=self.server)

        assert self.ssl is not True and self.ssl_params == {}
        sys.modules["ussl"] = Ussl
        return super().connect()
