"""The table of control methods: what it lets through, and who goes by it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from framebus.contract.methods import LENT_MAX_S, METHODS, QUERIES
from framebus.contract.words import Rung
from framebus.errors import UsageError

from capture_daemon.control.handlers import Handlers
from capture_daemon.control.incident_log import IncidentLog


def checked(method: str, **params: object) -> dict[str, object]:
    return METHODS[method].checked(params)


@pytest.mark.parametrize(
    ("method", "params", "values"),
    [
        ("status", {}, {}),
        ("configure", {"size": "640x480"}, {"size": (640, 480)}),
        ("configure", {"fps": 15, "source": "test"}, {"fps": 15.0, "source": "test"}),
        ("configure", {"size": None, "fallback": None}, {"size": None, "fallback": None}),
        ("set_controls", {"self": 1, "": None}, {"self": 1, "": None}),
        ("reset", {"rung": "usb-reset"}, {"rung": Rung.USB_RESET}),
        ("incidents", {}, {"limit": 20}),
        ("incidents", {"limit": 5}, {"limit": 5}),
        ("lend", {"seconds": 60}, {"seconds": 60.0, "to": "another program"}),
    ],
)
def test_what_fits_reaches_a_handler_as_it_is_meant(
    method: str, params: dict[str, object], values: dict[str, object]
) -> None:
    assert checked(method, **params) == values


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("stop", {"now": True}, "stop takes no parameters"),
        ("configure", {}, "It takes source, fallback, size, fps"),
        ("configure", {"fsp": 5}, "configure has no parameter 'fsp': did you mean 'fps'"),
        ("configure", {"http://u:p@h/": 5}, "configure has not this parameter; known are"),
        ("configure", {"fallback": 1}, "fallback is a text, as in test, v4l2:DEVICE"),
        ("configure", {"source": None}, "source is a text, as in test, v4l2:DEVICE"),
        ("configure", {"size": 720}, 'size is a text such as "1280x720", or null'),
        ("configure", {"size": "720p"}, "no frame size"),
        ("configure", {"fps": "15"}, "fps is a number such as 30, or null"),
        ("configure", {"fps": True}, "fps is a number such as 30, or null"),
        ("configure", {"fps": 10**400}, "at most 1000"),
        ("set_controls", {}, "name the controls to set"),
        ("reset", {}, "reset wants rung: one of bind, rebind"),
        ("reset", {"rung": "rebnd"}, "rung is one of bind, .* did you mean 'rebind'"),
        ("reset", {"rung": "reopen"}, "rung is one of bind, rebind"),
        ("reset", {"rung": ["bind"]}, "rung is one of bind, rebind"),
        ("lend", {"to": "cheese"}, "lend wants seconds: a number up to 86400"),
        ("lend", {"seconds": "60"}, "seconds is a number up to 86400"),
        ("lend", {"seconds": 0}, "seconds is a number up to 86400"),
        ("lend", {"seconds": LENT_MAX_S + 1}, "seconds is a number up to 86400"),
        ("lend", {"seconds": 9, "to": ""}, "to is a text that names who has the camera"),
        ("lend", {"seconds": 9, "to": "x" * 201}, "to is a text that names who has the camera"),
        *(
            ("incidents", {"limit": limit}, "limit is a number from 1 to 100")
            for limit in (0, -1, 101, True, "5", None, 1.5)
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_right(
    method: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        checked(method, **params)


def test_the_daemon_has_a_handler_for_each_method_that_takes_its_parameters() -> None:
    missing: Any = None
    handlers = Handlers(
        controller=missing,
        fallback=missing,
        pending_controls=missing,
        incident_log=IncidentLog(diagnostics=missing, journal=Path(), event=missing, pid=1),
        status=missing,
        checks=missing,
        check=missing,
        shutdown=missing,
        renew=None,
        clock=missing,
    )
    assert handlers.commands.keys() == METHODS.keys()
    assert handlers.queries.keys() == set(QUERIES)
    for name, handler in [*handlers.commands.items(), *handlers.queries.items()]:
        values = {each.name: None for each in METHODS[name].takes}
        inspect.signature(handler).bind(None, **values)
