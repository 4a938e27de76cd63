"""The provider chain of the stock binaries."""
