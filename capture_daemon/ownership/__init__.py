"""Whose the camera is: locks, the one open source, its keeper, and what a predecessor left.

It opens and closes sources, and knows their devices. It may not know what they are wanted for:
neither the frames, nor the lifecycle, nor anybody who commands.
"""
