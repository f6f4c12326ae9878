"""The real uvcvideo driver under test: a Debian kernel in QEMU and an emulated USB camera."""
