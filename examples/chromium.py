"""Debian's Chromium, steered over its debugging pipe, and a small server on the loopback for the pages it shows. Standard library only.

Used by `plotly_baseline.py` and `hover_latency.py`. Needs `apt-get install chromium`.
"""

import fcntl
import http.server
import json
import os
import subprocess
import tempfile
import threading


class Chromium:
    """A browser with one page and a profile of its own; leaving the `with` block ends it."""

    def __init__(self, flags, environment=None):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (from_us, commands), (answers, to_us) = os.pipe(), os.pipe()
        # The browser reads commands from descriptor 3 and answers on 4: high numbers first, so that neither overwrites the other.
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 40) for end in (from_us, to_us)]
        os.close(from_us)
        os.close(to_us)
        options = ["--remote-debugging-pipe", "--no-sandbox", "--no-first-run", f"--user-data-dir={self.profile.name}"]
        self.browser = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "chromium", *options, *flags, "about:blank"],
            pass_fds=theirs,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in theirs:
            os.close(end)
        self.commands, self.answers = os.fdopen(commands, "wb", 0), os.fdopen(answers, "rb")
        self.number, self.session = 0, None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.version = self.call("Browser.getVersion")["product"]

    def call(self, method, **parameters):
        """Sends a command of the DevTools protocol and returns its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _message(self):
        message = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("chromium ended")
            message += byte
        return bytes(message)

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def open(self, url):
        """Goes to a page and returns when its scripts have run."""
        self.call("Page.navigate", url=url)
        self.evaluate("new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.terminate()
        self.browser.wait()
        self.profile.cleanup()


class Pages:
    """Serves `{path: (type, bytes)}` from memory, with ranges, as music needs them."""

    def __init__(self, pages):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                kind, content = pages.get(self.path.partition("?")[0], ("text/plain", None))
                if content is None:
                    self.send_error(404)
                    return
                first, last = 0, len(content) - 1
                wanted = self.headers.get("Range", "").removeprefix("bytes=")
                if wanted:
                    begin, _, end = wanted.partition("-")
                    first, last = int(begin), min(int(end), last) if end else last
                self.send_response(206 if wanted else 200)
                if wanted:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(last - first + 1))
                self.end_headers()
                self.wfile.write(content[first : last + 1])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A browser that has heard enough resets its connection.
        self.server.handle_error = lambda *_: None
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
