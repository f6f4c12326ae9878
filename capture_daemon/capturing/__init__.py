"""The capture thread and what it feeds: it carries out commands, and its frames go into the ring.

Frames are judged, counted and published here, and what happened is told in reports. It may not know
the lifecycle, who commands, or why: what is done next is decided elsewhere.
"""
