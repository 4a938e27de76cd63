"""Virtual and host names, labels, selectors, annotations: pure functions."""
