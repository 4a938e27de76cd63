"""vcluster.yaml: models, defaults, loading, cross-field checks, JSON schema."""
