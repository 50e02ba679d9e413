"""A stub of an OpenAI-compatible endpoint, for tests of whatever asks a language model."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ChatStub:
    """Answers what it is told to, one text after the other, the last for ever; keeps what it was asked."""

    def __init__(self, *answers, status: int = 200) -> None:
        self.answers, self.asked, self.headers = list(answers), [], []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                stub.headers.append(dict(self.headers))
                stub.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                text = stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0]
                text = text(stub.asked[-1]) if callable(text) else text
                content = {
                    "choices": [{"message": {"content": text}}],
                    "usage": {"prompt_tokens": 11, "completion_tokens": 3},
                }
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
