"""Parts of the product, set up in this process so that a test can drive them."""
