"""One part of the product at a time; no test here sleeps, or starts more than it needs."""
