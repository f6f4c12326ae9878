"""The options of `framebus up`, `capture` and `web`: one table, and what is made of it."""
