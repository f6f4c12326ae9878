"""The capture daemon: the only process that opens the camera."""
