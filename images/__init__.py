"""Makes the container images of Nestling without a base image and without a registry (docs/image.md)."""
