"""Getting a camera back: which rung of the ladder is next, and carrying it out.

To choose is pure, and carrying out is the capture thread's, with the device closed. It may not know
the lifecycle that asks it, the frames, or which source stands behind a device.
"""
