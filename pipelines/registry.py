"""Which pipelines there are: a sub-folder of `pipelines/` with a PIPELINE is one, and its name is the folder's."""

import importlib
import pkgutil
from functools import cache

import pipelines
from pipelines.errors import PipelineUnknown
from pipelines.spec import PipelineSpec


@cache
def specs() -> dict[str, PipelineSpec]:
    """Every pipeline by folder name, sorted."""
    found: dict[str, PipelineSpec] = {}
    for module in pkgutil.iter_modules(pipelines.__path__):
        if module.ispkg:
            spec = getattr(importlib.import_module(f"pipelines.{module.name}"), "PIPELINE", None)
            if isinstance(spec, PipelineSpec):
                found[module.name] = spec
    return dict(sorted(found.items()))


def spec(name: str) -> PipelineSpec:
    """The pipeline of that name; "job-titles" and "job_titles" are the same. Raises: PipelineUnknown."""
    try:
        return specs()[name.replace("-", "_")]
    except KeyError:
        known = ", ".join(s.slug for s in specs().values())
        raise PipelineUnknown(f"no such pipeline; there are: {known}") from None
