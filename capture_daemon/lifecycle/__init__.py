"""What is done next: the state machine of one source, and what turns the world into its events.

Main thread only; time comes in as an argument, and nothing waits: the capture thread gets commands
and sends reports. It may not know sockets, control calls, locks, or what a device is.
"""
