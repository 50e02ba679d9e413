"""Files over the wire."""

from typing import Any, Final

from pydantic import BaseModel, Field

PURPOSES: Final = ("terminology", "documents", "queries", "batch")
OUTPUT: Final = "batch_output"
"""The purpose of what a job put out."""


class FileAnswer(BaseModel):
    """What is known of a file."""

    id: str
    filename: str = Field(description="As uploaded, without folders and control characters.")
    bytes: int
    sha256: str
    purpose: str = Field(description=f"{', '.join(PURPOSES)}; batch_output for what a job put out.")
    created_at: float = Field(description="Seconds since 1970.")


class FilesPage(BaseModel):
    """A page of files, oldest first."""

    files: list[FileAnswer]
    next_page_token: str | None = Field(description="Opaque; null on the last page.")


UPLOAD_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(PURPOSES)},
                    },
                }
            }
        },
    }
}
"""How /openapi.json describes an upload, which is read as a stream and not by FastAPI."""
