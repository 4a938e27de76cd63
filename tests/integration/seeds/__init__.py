"""What the documents do that started the project, on the embedded host."""
