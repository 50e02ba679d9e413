"""Reading multipart/form-data as it arrives: one file goes to a sink piece by piece, small fields are kept.

Whatever the size of the file, memory stays at about `_PIECE_BYTES`.
"""

import asyncio
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from service.problems import BodyTooLarge, ClientGone, Fault, Invalid, Malformed, WrongMediaType

FORM_OVERHEAD_BYTES: Final = 64 * 1024
"""What boundaries, headers and fields may add to a file."""
MAX_FILENAME: Final = 200

_PIECE_BYTES: Final = 1 << 20
_MAX_PARTS: Final = 64
_MAX_FIELD_BYTES: Final = 8 * 1024
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f]")


class Sink(Protocol):
    """Where a file's bytes go."""

    def write(self, piece: bytes) -> object:
        """Take the next bytes; called in a worker thread, one call at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """What a form held beside the file's bytes.

    Attributes:
        filename: the file's name as the caller gave it, cleaned; for people, never a path.
        size: of the file, in bytes.
        fields: name → values, in order.
    """

    filename: str
    size: int
    fields: dict[str, list[str]]


async def read_form(
    request: Request, *, sink: Sink, max_file_bytes: int, fields: Collection[str], file_field: str = "file"
) -> Form:
    """Read a form with one file.

    Args:
        sink: takes the file's bytes.
        max_file_bytes: more is a BodyTooLarge.
        fields: names of the fields it may have.
        file_field: name of the part that is the file.

    Raises: WrongMediaType if it is no form; Malformed if it is a broken one; Invalid for a part that is unknown,
        missing or twice there; BodyTooLarge; ClientGone. Whatever the sink raises.
    """
    reader = _Reader(_boundary(request), fields=fields, file_field=file_field, max_file_bytes=max_file_bytes)
    try:
        async for chunk in request.stream():
            for piece in reader.feed(chunk):
                await asyncio.to_thread(sink.write, piece)
    except ClientDisconnect:
        raise ClientGone("The caller hung up.") from None
    for piece in reader.finish():
        await asyncio.to_thread(sink.write, piece)
    if reader.filename is None:
        raise Invalid("The form has no file.", faults=[Fault(f"/{file_field}", "Field required")])
    return Form(reader.filename, reader.size, reader.fields)


def clean_filename(given: str) -> str:
    """The last part of a name without control characters, at most MAX_FILENAME characters; "upload" if none is left."""
    name = re.split(r"[/\\]", given)[-1].encode("utf-8", "replace").decode()
    name = _UNSEEN.sub("", unicodedata.normalize("NFC", name[: 4 * MAX_FILENAME])).strip()
    if len(name) > MAX_FILENAME:
        # Its end says what kind of file it is.
        name = f"{name[: MAX_FILENAME - 40]}…{name[-39:]}"
    return name if name.strip(". ") else "upload"


def _boundary(request: Request) -> bytes:
    media_type, options = parse_options_header(request.headers.get("content-type"))
    if media_type.lower() != b"multipart/form-data":
        raise WrongMediaType("Send multipart/form-data (with curl: -F file=@NAME).")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:
        raise Malformed("The content type has no usable boundary; let your HTTP library write it.")
    return boundary


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_file: bool = False
    content: bytearray = field(default_factory=bytearray)


class _Reader:
    """The parser's callbacks, and the pieces of the file that they leave."""

    def __init__(self, boundary: bytes, *, fields: Collection[str], file_field: str, max_file_bytes: int) -> None:
        self.filename: str | None = None
        self.size = 0
        self.fields: dict[str, list[str]] = {}
        self._known = fields
        self._file_field = file_field
        self._limit = max_file_bytes
        self._parts = 0
        self._part = _Part()
        self._ready: list[bytes] = []
        self._ready_bytes = 0
        self._whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._part.header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._part.value.extend(data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._ends,
                "on_end": self._close,
            },
        )

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        """Parse a chunk; the pieces of the file that are to be written now."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Malformed("The body is not a well-formed multipart/form-data.") from None
        return self._taken() if self._ready_bytes >= _PIECE_BYTES else ()

    def finish(self) -> Iterable[bytes]:
        """The last pieces. Raises: Malformed if the form broke off."""
        if not self._whole:
            raise Malformed("The body breaks off before the form's last boundary.")
        return self._taken()

    def _taken(self) -> Sequence[bytes]:
        piece, self._ready, self._ready_bytes = b"".join(self._ready), [], 0
        return (piece,) if piece else ()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise Malformed(f"The form has more than {_MAX_PARTS} parts.")
        self._part = _Part()

    def _header_ends(self) -> None:
        part = self._part
        part.headers[bytes(part.header).lower()] = bytes(part.value)
        part.header.clear()
        part.value.clear()

    def _headers_end(self) -> None:
        part = self._part
        disposition, options = parse_options_header(part.headers.get(b"content-disposition"))
        if disposition.lower() != b"form-data" or b"name" not in options:
            raise Malformed("A part of the form has no name.")
        part.name = _text(options[b"name"])
        part.is_file = part.name == self._file_field
        if part.is_file:
            if self.filename is not None:
                raise Invalid("One file a request.", faults=[Fault(f"/{self._file_field}", "Stands twice.")])
            self.filename = clean_filename(_text(options.get(b"filename", b"")))
        elif part.name not in self._known:
            known = ", ".join([self._file_field, *sorted(self._known)])
            raise Invalid(
                "The form has an unknown part.", faults=[Fault("", f"Unknown part; this form takes: {known}.")]
            )

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.is_file:
            self.size += end - start
            if self.size > self._limit:
                raise BodyTooLarge(f"The file may have at most {self._limit} bytes.")
            self._ready.append(bytes(data[start:end]))
            self._ready_bytes += end - start
            return
        part.content += data[start:end]
        if len(part.content) > _MAX_FIELD_BYTES:
            fault = Fault(f"/{part.name}", f"Should have at most {_MAX_FIELD_BYTES} bytes")
            raise Invalid("A field of the form is too long.", faults=[fault])

    def _ends(self) -> None:
        part = self._part
        if not part.is_file:
            try:
                value = part.content.decode("utf-8")
            except UnicodeDecodeError:
                fault = Fault(f"/{part.name}", "Not UTF-8.")
                raise Invalid("A field of the form is not text.", faults=[fault]) from None
            self.fields.setdefault(part.name, []).append(value)

    def _close(self) -> None:
        self._whole = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
