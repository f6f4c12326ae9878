"""The `rpicam` source: a camera on a Raspberry Pi's CSI connector, through its rpicam-vid.

libcamera drives such cameras, and their node under /dev gives no pictures by itself.
"""
