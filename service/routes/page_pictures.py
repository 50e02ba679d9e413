"""Pages of datasheets as pictures, to look where a row stands. The PDF is drawn and forgotten."""

import re
from typing import Any, Final

from fastapi.responses import Response
from starlette.requests import Request

from service.problems import Fault, Invalid
from service.routes import BODY, TimeoutMs, hangs_up, router, services_of, timeout_s
from service.uploads import Form, read_form

routes = router("datasheets")

PAGE: Final = "/v1/datasheets/page"
_MOST: Final = {"page": 5000, "width": 3000}
_LEAST: Final = {"page": 1, "width": 100}
_DEFAULT: Final = {"page": 1, "width": 1200}
_NUMBER: Final = {"type": "integer"}
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The PDF."},
                        **{
                            name: {**_NUMBER, "minimum": _LEAST[name], "maximum": _MOST[name], "default": default}
                            for name, default in _DEFAULT.items()
                        },
                    },
                }
            }
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **BODY,
    200: {
        "description": "The page. x-page-width and x-page-height are its size in points, as `bbox` counts.",
        "content": {"image/png": {}},
    },
    415: {**BODY[415], "description": "Not multipart/form-data."},
}


class _Bytes(bytearray):
    """Where the file goes: it is small, and drawn from memory."""

    def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.extend(piece)


@routes.post(
    PAGE, response_class=Response, responses=_RESPONSES, openapi_extra=_FORM, summary="A page of a PDF → a picture"
)
async def draw_datasheet_page(request: Request, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """One page as PNG, `width` pixels wide, drawn in a process of its own. Nothing is kept."""
    services = services_of(request)
    file = _Bytes()
    most = services.settings.datasheet_max_bytes
    form = await read_form(request, sink=file, max_file_bytes=most, fields=["page", "width"])
    picture = await services.desk.picture(
        bytes(file),
        _number(form, "page"),
        width_px=_number(form, "width"),
        timeout_s=timeout_s(services.settings, x_request_timeout_ms),
        gone=hangs_up(request),
    )
    size = {"x-page-width": f"{picture.width:.2f}", "x-page-height": f"{picture.height:.2f}"}
    return Response(picture.png, media_type="image/png", headers={**size, "cache-control": "no-store"})


def _number(form: Form, name: str) -> int:
    said = form.fields.get(name, [])
    if not said or said == [""]:
        return _DEFAULT[name]
    if len(said) == 1 and re.fullmatch(r"[0-9]{1,6}", said[0]) and _LEAST[name] <= int(said[0]) <= _MOST[name]:
        return int(said[0])
    fault = Fault(f"/{name}", f"Expected one number from {_LEAST[name]} to {_MOST[name]}.")
    raise Invalid("The form has a field that cannot be used.", faults=[fault])
