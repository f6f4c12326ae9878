"""The small privileged helper: resets the USB port of a camera, and can do nothing else.

Standard library only, since it is root. Of the daemon it may know the words and actions of the
rungs, their budget, and ports in sysfs; neither sources nor settings, and no camera.
"""
