"""The house stands as HOUSE.md draws it."""

import subprocess
import sys
from pathlib import Path

import pytest

import models
import pipelines
import service
from pipelines import registry

ROOT = Path(__file__).resolve().parents[1]


def test_the_three_floors_are_siblings_on_disk():
    for floor in (service, pipelines, models):
        assert Path(floor.__file__).resolve().parent.parent == ROOT


def test_imports_point_down():
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_folder_with_a_pipeline_is_registered_under_its_own_name():
    folders = {p.parent.name for p in (ROOT / "pipelines").glob("*/pipeline.py")}
    assert set(registry.specs()) == folders
    for name, spec in registry.specs().items():
        assert spec.name == name


def test_every_config_option_says_what_it_is_and_where_its_default_comes_from():
    for spec in registry.specs().values():
        for name, field in spec.config.model_fields.items():
            assert field.description, f"{spec.name}.{name} has no description"


def test_serving_never_imports_torch_or_training():
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'torch', 'transformers', 'sentence_transformers'}:\n"
        "            raise ImportError('serving imported ' + name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "import service.app, service.host, pipelines.registry\n"
        "pipelines.registry.specs()\n"
        "assert 'models.training' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_is_no_init_under_tests():
    assert not list((ROOT / "tests").rglob("__init__.py"))
