"""gunicorn's own defaults, for the naive app: an empty configuration instead of ours."""
