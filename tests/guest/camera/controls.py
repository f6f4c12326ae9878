"""The controls of a camera's terminal and units: requests in, answers out. Pure.

UVC 1.1, sections 4.2.1 and 4.2.2. A refused request is a stall; the host then asks the interface
for the reason (VC_REQUEST_ERROR_CODE_CONTROL).
"""

from __future__ import annotations

from tests.guest.camera.model import Control, Model

SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = (
    0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
)  # fmt: skip
NOT_READY, WRONG_STATE, OUT_OF_RANGE, INVALID_REQUEST = 0x01, 0x02, 0x04, 0x07
_ERROR_CODE_SELECTOR = 0x02
_MANUAL_EXPOSURE = 0x01


class Refused(Exception):
    """The request is stalled; `reason` is what the error code control says afterwards."""

    def __init__(self, reason: int = INVALID_REQUEST) -> None:
        super().__init__(f"stalled, reason {reason}")
        self.reason = reason


class Controls:
    """The state of every control."""

    def __init__(self, model: Model) -> None:
        self._controls = {(one.unit, one.selector): one for one in model.controls}
        self.values = {one.name: one.default for one in model.controls}
        """Current values by name."""
        self.presses = 0
        """How often the button was pressed."""
        self.reason = 0
        """Why the last request was refused."""

    def request(self, unit: int, selector: int, code: int, data: bytes) -> bytes:
        """Answer one class request to `unit` (0: the interface itself). Raises Refused."""
        if (unit, selector, code) == (0, _ERROR_CODE_SELECTOR, GET_CUR):
            return bytes([self.reason])
        control = self._controls.get((unit, selector))
        if control is None:
            raise Refused
        if code == SET_CUR:
            self._set(control, int.from_bytes(data, "little", signed=control.signed))
            return b""
        if code == GET_LEN:
            return control.size.to_bytes(2, "little")
        if code == GET_INFO:
            return bytes([control.info])
        answers = {
            GET_CUR: self.values[control.name],
            GET_MIN: control.minimum,
            GET_MAX: control.maximum,
            GET_RES: control.step,
            GET_DEF: control.default,
        }
        if code not in answers:
            raise Refused
        return answers[code].to_bytes(control.size, "little", signed=control.signed)

    def _set(self, control: Control, value: int) -> None:
        if control.name == "button":
            # The driver presses a button by writing all ones.
            self.presses += 1
            return
        if not control.minimum <= value <= control.maximum:
            raise Refused(OUT_OF_RANGE)
        automatic = self.values.get("exposure_auto", _MANUAL_EXPOSURE) != _MANUAL_EXPOSURE
        if control.name == "exposure_absolute" and automatic:
            raise Refused(WRONG_STATE)
        self.values[control.name] = value
