"""The MQTT broker: the embedded one, the files for a mosquitto, and the access rules of both."""
