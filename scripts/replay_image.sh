#!/usr/bin/env bash
# Replays the Dockerfile's steps where no engine runs: a clean venv from the hash-pinned lock, the wheel, prepared artifacts,
# then the service as another user on read-only files, asked by the image's own HEALTHCHECK.
#
#   scripts/replay_image.sh ARTIFACTS          as root; ARTIFACTS as `cognomen setup` makes them; PYTHON=… if another than
#                                              /usr/bin/python3, one that every user can run
#
# Not replayed: the base image, the stage that prepares models with torch (ARTIFACTS stand for its outcome), cgroups.
set -euo pipefail
artifacts=$(realpath "${1:?say where the prepared artifacts are}")
cd "$(dirname "$0")/.."
src=$(pwd)
root=$(mktemp --directory /tmp/cognomen-image.XXXXXX)
chmod 755 "$root"
user=65534
port=${PORT:-18000}
trap '[ -n "${pid:-}" ] && kill "$pid" 2>/dev/null; wait; chmod -R u+w "$root"; rm -rf "$root"' EXIT

echo "== installed"
"${PYTHON:-/usr/bin/python3}" -m venv "$root/venv"
"$root/venv/bin/pip" install --quiet --require-hashes --only-binary :all: -r deploy/requirements.lock
# From a copy, as the image has it: building in the checkout would leave files there.
mkdir "$root/src"
cp -r pyproject.toml README.md LICENSE models pipelines service cognomen_client "$root/src/"
"$root/venv/bin/pip" install --quiet --no-deps "$root/src"
rm -rf "$root/src"
for forbidden in torch transformers sentence_transformers pytest; do
    if "$root/venv/bin/python" -c "import $forbidden" 2>/dev/null; then
        echo "the runtime has $forbidden" >&2
        exit 1
    fi
done

echo "== runtime: user $user, read-only but for data and tmp"
mkdir "$root/data" "$root/tmp" "$root/etc"
cp deploy/pipelines.toml "$root/etc/"
cp -r "$artifacts" "$root/artifacts"
chmod -R a-w,a+rX "$root/venv" "$root/etc" "$root/artifacts"
chown -R "$user" "$root/data" "$root/tmp"
# An array, not a function: in the background its process is the service itself, which the signal is for.
as_user=(
    setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set -all
    env -i PATH="$root/venv/bin:/usr/bin:/bin" HOME="$root/tmp" TMPDIR="$root/tmp" PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
    COGNOMEN_HOST=0.0.0.0 COGNOMEN_PORT="$port" COGNOMEN_ARTIFACTS="$root/artifacts" COGNOMEN_DATA="$root/data"
    COGNOMEN_PIPELINES_FILE="$root/etc/pipelines.toml" COGNOMEN_DRAIN_S=1
)
cd /
if "${as_user[@]}" cognomen serve 2>"$root/tmp/refused"; then
    echo "it started beyond loopback without a key" >&2
    exit 1
fi
cat "$root/tmp/refused"
key=$("${as_user[@]}" cognomen keys create --name replay --scope read 2>/dev/null)
"${as_user[@]}" cognomen serve &
pid=$!
for _ in $(seq 120); do
    "${as_user[@]}" python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/readyz', timeout=2)" 2>/dev/null && break
    kill -0 "$pid"
    sleep 1
done
echo "== asked"
request='{"items": [{"title": "Senior Java Developer (m/w/d) - Berlin"}], "top_k": 1}'
url="http://127.0.0.1:$port/v1/job-titles/normalize"
test "$(curl -s -o /dev/null -w '%{http_code}' "$url" -H 'content-type: application/json' -d "$request")" = 401
curl -sf "$url" -H "authorization: Bearer $key" -H 'content-type: application/json' -d "$request"
echo
if "${as_user[@]}" touch "$root/venv/x" 2>/dev/null || "${as_user[@]}" touch "$root/artifacts/x" 2>/dev/null; then
    echo "something is writable that should not be" >&2
    exit 1
fi
kill -TERM "$pid"
wait "$pid" || test $? = 143
unset pid
echo "== as the Dockerfile says, from $src"
