"""Devices as the kernel shows them: a USB port in sysfs, and video nodes that appear.

It may not open a camera, write anything, or know anything of ours: the privileged helper, which is
root, imports it too.
"""
