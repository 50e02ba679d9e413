"""/docs without the internet: Swagger UI from the `fastapi-swagger` package, not from a CDN."""

from functools import cache
from importlib import resources
from typing import Final

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.routes import router

routes = router("docs")

_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


@routes.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Swagger UI over /openapi.json."""
    root = request.scope.get("root_path", "").rstrip("/")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="cognomen",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon-32x32.png",
        # Without this the page asks validator.swagger.io about every document that is not on localhost.
        swagger_ui_parameters={"validatorUrl": None, "defaultModelsExpandDepth": 0},
    )


@routes.get("/docs/{name}", include_in_schema=False)
async def asset(name: str) -> Response:
    """One file of Swagger UI."""
    if name not in _ASSETS:
        raise HTTPException(404)
    return Response(_read(name), media_type=_ASSETS[name], headers={"Cache-Control": "max-age=86400"})


@cache
def _read(name: str) -> bytes:
    return resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()
