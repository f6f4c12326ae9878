"""How a command of ours was typed, is to be typed, prints, and ends: whatever it does between.

Both sides' commands and the command line use it; it knows none of them.
"""
