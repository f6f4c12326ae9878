"""Who may look, who may command, and what keeps other web pages from doing either.

The authorizer stands before every view (authorizer.py) and asks what the route decided
(decisions.py), what the request shows (proof.py, keys.py), from where it comes (peer.py) and how
often it was wrong (attempt_limiter.py). views.py has the routes that are about access itself,
control.py the one command to a daemon; errors.py and logs.py see to it that what gunicorn says
itself gives nothing away. Knows no frame, no viewer and no limit on them: that is `admission`.
"""
