"""The reconcile shell, mapping, events, ownership checks. Knows no kind."""
