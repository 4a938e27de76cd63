"""The shape of ``vcluster.yaml``: one module per concern, one class per mapping."""
