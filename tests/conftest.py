"""Small real things that many tests share."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines.terminology import Concept, Term, Terminology

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

OCCUPATIONS = {
    "2512": (
        "Software developers",
        ["software developer", "software engineer", "backend developer", "Softwareentwickler"],
    ),
    "2513": ("Web developers", ["web developer", "frontend developer", "Webentwickler"]),
    "2221": ("Nursing professionals", ["registered nurse", "nurse", "staff nurse", "Krankenschwester"]),
    "2211": ("General practitioners", ["general practitioner", "family doctor", "Hausarzt"]),
    "7126": ("Plumbers", ["plumber", "pipe fitter", "heating engineer", "Klempner"]),
    "7411": ("Electricians", ["electrician", "electrical installer", "Elektriker"]),
    "5120": ("Cooks", ["cook", "line cook", "kitchen cook", "Koch"]),
    "5131": ("Waiters", ["waiter", "waitress", "Kellner"]),
    "8322": ("Car and van drivers", ["taxi driver", "van driver", "Taxifahrer"]),
    "8332": ("Truck drivers", ["truck driver", "lorry driver", "HGV driver", "Lkw-Fahrer"]),
    "2341": ("Primary school teachers", ["primary school teacher", "elementary teacher", "Grundschullehrer"]),
    "3313": ("Accounting associates", ["bookkeeper", "accounting assistant", "Buchhalter"]),
}
GERMAN = {"Softwareentwickler", "Webentwickler", "Krankenschwester", "Hausarzt", "Klempner", "Elektriker", "Koch",
          "Kellner", "Taxifahrer", "Lkw-Fahrer", "Grundschullehrer", "Buchhalter"}  # fmt: skip


def twelve_occupations() -> Terminology:
    """12 occupations in English and German below 4 abstract groups."""
    concepts = [
        Concept(
            f"T:{code}",
            name,
            [
                Term(text, "de" if text in GERMAN else "en", "alternative" if i else "preferred")
                for i, text in enumerate(terms)
            ],
            parents=[f"T:{code[0]}"],
            codes={"isco-08": code},
            semantic_types=["occupation", "manual" if code[0] in "578" else "office"],
        )
        for code, (name, terms) in OCCUPATIONS.items()
    ]
    groups = [
        Concept(f"T:{c}", name, [Term(name, "en", "preferred")], abstract=True)
        for c, name in {
            "2": "Professionals",
            "3": "Technicians",
            "5": "Service workers",
            "7": "Trades",
            "8": "Operators",
        }.items()
    ]
    return Terminology("twelve", version="1", concepts=[*concepts, *groups])


@pytest.fixture(scope="session")
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def store(tmp_path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture(scope="session")
def terminology() -> Terminology:
    return twelve_occupations()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The data beside the checkout; a test that asks for it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def trained_reranker(tmp_path_factory):
    """A BERT of two layers with one output and a word-piece tokenizer of fifty words."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("trained")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), "lamp", "bread"]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=64)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, num_labels=1, initializer_range=0.5,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def prepared_reranker(trained_reranker, tmp_path_factory):
    pytest.importorskip("onnx")
    from models.rerankers.export import prepare

    folder = tmp_path_factory.mktemp("prepared")
    prepare(str(trained_reranker), folder, called="tiny")
    assert json.loads((folder / "reranker.json").read_text())["largest_difference"] < 1e-5
    return folder


@pytest.fixture(scope="session")
def everything(tmp_path_factory, terminology) -> ArtifactStore:
    """Everything that can be hosted, small."""
    from tests.live import build_everything

    return build_everything(tmp_path_factory.mktemp("everything"), terminology)


@pytest.fixture(scope="session")
def live(everything, tmp_path_factory):
    """The address of a real service that hosts everything, small; made once for all tests that look from outside."""
    from tests.live import serve_everything

    with serve_everything(everything, tmp_path_factory.mktemp("live")) as address:
        yield address


@pytest.fixture(scope="session")
def live_with_keys(everything, tmp_path_factory):
    """The same, where a key is needed: its address and its keys."""
    from service.keys import KeyStore
    from tests.live import serve_everything

    data = tmp_path_factory.mktemp("live-with-keys")
    with serve_everything(everything, data, require_keys=True) as address:
        yield address, KeyStore(data)


@pytest.fixture(scope="session")
def synthetic_sheets():
    """Makers of datasheets of parts that do not exist."""
    pytest.importorskip("reportlab")
    path = ROOT / "tests" / "data" / "datasheets_synthetic.py"
    spec = importlib.util.spec_from_file_location("datasheets_synthetic", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
