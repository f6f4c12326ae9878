"""How a view answers, when that is more than a document.

    problems  something is wrong, in one shape for all
    paths     what was asked, in one form; what answers point to, relative to it
    takeover  an endless response, which the worker's event loop takes from its thread

Shared by those who answer (`access`, `pages`) and those who serve on (`feeds`, the worker), and so
knows none of them: no route, no feed, no frame.
"""
