"""A user's server that records every request, as a hostile server would, and answers 200.

The first argument is the time in seconds that an answer takes. The second names a file: until the
file exists, the server answers like a server without the extension.
"""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

RECORD = Path.home() / "requests.jsonl"
DELAY_S = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
INSTALLED = Path(sys.argv[2]) if len(sys.argv) > 2 else None


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        line = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        if "ingest" in self.path:
            time.sleep(DELAY_S)
            with RECORD.open("a") as file:
                file.write(json.dumps(line) + "\n")
        body = b'{"success": true}'
        missing = INSTALLED is not None and not INSTALLED.exists()
        self.send_response(404 if missing and "ingest" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    ThreadingHTTPServer((where.hostname or "127.0.0.1", where.port or 80), Handler).serve_forever()
