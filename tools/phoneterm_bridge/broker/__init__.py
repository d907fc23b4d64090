"""The MQTT broker: the embedded one, the files for a mosquitto, and who may do what there."""
