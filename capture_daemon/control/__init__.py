"""The daemon's end of the control socket: its server, the methods, and what their answers need.

A call is answered at once: what takes longer is asked in threads of its own (the device's and the
diagnostics thread). It commands through the lifecycle's controller. It may not command the capture
thread, or know the ring, who owns the device, and what the daemon is made of.
"""
