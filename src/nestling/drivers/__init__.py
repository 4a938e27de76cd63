"""What a verb does on each platform: local processes or a Helm release."""
