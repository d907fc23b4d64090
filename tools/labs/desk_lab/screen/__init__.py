"""The desk in a terminal, full screen: the phone with its keys beside the calls."""
