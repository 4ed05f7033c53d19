#!/usr/bin/env bash
# The service on a free port, and other people's programs that read its answers: `make outside PHOTO=photo.jpg`.
set -euo pipefail
cd "$(dirname "$0")/../.."

photo=$(realpath "${1:-docs/astronaut.jpg}")
folder=$(mktemp -d)
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
HUMANPARSE_JOBS_DIR=$folder/jobs HUMANPARSE_RESULTS_DIR=$folder/results HUMANPARSE_CACHE_DIR=$folder/cache \
    HUMANPARSE_LOG_LEVEL=WARNING .venv/bin/gunicorn --bind "127.0.0.1:$port" --workers 1 app:app &
service=$!
trap 'kill "$service"; wait "$service" || true; rm -rf "$folder"' EXIT
until .venv/bin/python -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1])' "http://127.0.0.1:$port/readyz" \
    2>/dev/null; do
    kill -0 "$service"  # or it ended, and told why
    sleep 0.5
done
.venv-outside/bin/python tests/outside/read.py "http://127.0.0.1:$port" "$photo"
