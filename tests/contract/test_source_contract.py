"""The source contract over every source that runs on any machine."""

from __future__ import annotations

import pytest

from tests.contract.source_cases import CASES, SourceCase
from tests.contract.source_contract import SourceContract


class TestSources(SourceContract):
    @pytest.fixture(params=CASES, ids=lambda case: case.name)
    def case(self, request: pytest.FixtureRequest) -> SourceCase:
        chosen = request.param
        assert isinstance(chosen, SourceCase)
        return chosen
