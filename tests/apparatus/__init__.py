"""Tests of what measures and of what tests stand on: the product is not looked at here.

A benchmark, a recovery harness, an emulated camera or a helper that is wrong would prove nothing
and say so of nobody; so they have tests of their own, apart from the product's.
"""
