#!/usr/bin/env bash
# The Dockerfile's steps without a container engine: a clean environment of the slim requirements, the files that
# .dockerignore lets in, no rights to write but in its data folder; then a photo is parsed. Needs the network.
#   deploy/check-image-steps.sh PHOTO [requirements.txt]
set -euo pipefail

photo=$(realpath "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/${2:-requirements-slim.txt}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet -r "$requirements"
mkdir -p "$work/app" "$work/data/uploads" "$work/data/results" "$work/data/cache"
sed -n 's/^!//p' "$root/.dockerignore" | (cd "$root" && xargs cp -r -t "$work/app")
chmod -R a-w "$work/app"

if [ "$(id -u)" = 0 ]; then
    chmod 711 "$work" && chown -R 10001 "$work/data"
    as_nobody=(setpriv --reuid 10001 --regid 10001 --clear-groups)
else
    as_nobody=()
fi
port=$("$work/venv/bin/python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
cd "$work/app"
PYTHONDONTWRITEBYTECODE=1 HUMANPARSE_WORKERS=1 HUMANPARSE_JOBS_DIR="$work/data/uploads" \
    HUMANPARSE_RESULTS_DIR="$work/data/results" HUMANPARSE_CACHE_DIR="$work/data/cache" \
    "${as_nobody[@]}" "$work/venv/bin/gunicorn" --bind "127.0.0.1:$port" --worker-tmp-dir /dev/shm app:app &
server=$!
curl --silent --show-error --fail --retry 40 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/readyz"
curl --silent --show-error --fail -F "image=@$photo" "http://127.0.0.1:$port/api/parse?overlay=none" | cut -c1-200
echo
du -sh "$work/venv" "$work/app"
