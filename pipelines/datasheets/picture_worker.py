"""The process that draws a page of a PDF: a PNG on standard output, or a reason in JSON.

Run by path as a script (`python -I picture_worker.py`), fed the document on its standard input, killed when it takes
too long. It imports nothing of the house. `pictures.py` is the other end.
"""

import json
import resource
import sys
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped,unused-ignore]

_MOST_PIXELS: Final = 12_000_000


def main() -> None:
    """Draw one page; the options are the first argument, as JSON. First a line of JSON, then the picture's bytes."""
    options = json.loads(sys.argv[1])
    for what, limit in ((resource.RLIMIT_AS, options["memory_bytes"]), (resource.RLIMIT_CPU, options["cpu_s"])):
        resource.setrlimit(what, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _draw(sys.stdin.buffer.read(), options)
    except MemoryError:
        _say({"error": "memory"})
    except pypdfium2.PdfiumError as error:
        _say({"error": "encrypted" if "password" in str(error).lower() else "damaged"})


def _draw(raw: bytes, options: dict[str, Any]) -> None:
    document = pypdfium2.PdfDocument(raw)
    if not 1 <= options["page"] <= len(document):
        _say({"error": "no_page", "pages": len(document)})
        return
    page = document[options["page"] - 1]
    width, height = page.get_size()
    scale = min(options["width_px"] / width, (_MOST_PIXELS / (width * height)) ** 0.5)
    picture = page.render(scale=scale).to_pil()
    _say({"width": width, "height": height})
    picture.save(sys.stdout.buffer, "PNG")


def _say(said: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main()
