"""Everything that looks at the product, and nothing of it; docs/testing.md says what is where."""
