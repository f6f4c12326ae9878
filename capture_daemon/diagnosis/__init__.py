"""What is the matter, and who is to blame: reads /proc, /sys and logs, and opens no camera.

For `framebus doctor` and for a daemon's incidents. It may block, for which the daemon asks in a
thread of its own. It may not know the lifecycle or the control socket, and mends nothing.
"""
