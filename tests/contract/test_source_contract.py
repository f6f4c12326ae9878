"""The source contract over every source that runs on any machine."""

from __future__ import annotations

import pytest

from capture_daemon.settings.spec import FORMS
from tests.contract.source_cases import CASES, SourceCase
from tests.contract.source_contract import SourceContract


def test_every_kind_of_source_is_held_to_the_contract() -> None:
    kinds = {form.partition(":")[0] for form in FORMS} - {"auto", "https"}
    elsewhere = {"v4l2"}  # test_v4l2_source_contract.py: it needs a camera, or its fake
    assert {case.name.partition("-")[0] for case in CASES} == kinds - elsewhere


class TestSources(SourceContract):
    @pytest.fixture(params=CASES, ids=lambda case: case.name)
    def case(self, request: pytest.FixtureRequest) -> SourceCase:
        chosen = request.param
        assert isinstance(chosen, SourceCase)
        return chosen
