"""The V4L2 source: discovery, session, controls.

It talks to the kernel, through linuxpy, and knows devices by what the kernel says of them. Like any
source it may not know who reads it; nor locks and keepers: it is told what it may open or adopt.
"""
