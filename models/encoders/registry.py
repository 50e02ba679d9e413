"""From a prepared folder to the encoder that opens it."""

from pathlib import Path

from models.encoders.base import Encoder
from models.encoders.description import EncoderDescription
from models.errors import ArtifactInvalid


def open_encoder(folder: Path, *, device: str = "cpu", threads: int = 1, engine: str = "onnxruntime") -> Encoder:
    """The encoder a folder's `encoder.json` describes; nothing is loaded yet.

    Args:
        folder: as written by `models.encoders.export.prepare`.
        device: "auto", "cpu", "cuda[:N]" or "mps".
        threads: threads within one batch, where the engine is not torch.
        engine: "auto", "onnxruntime" or "openvino": what computes an ONNX graph on a CPU.

    Raises: ArtifactMissing, ArtifactInvalid, DeviceUnavailable, MissingExtra.
    """
    description = EncoderDescription.read(folder)
    match description.kind:
        case "onnx":
            from models.encoders.onnx import OnnxEncoder

            return OnnxEncoder(folder, device=device, threads=threads, engine=engine)
        case "sentence_transformer":
            from models.encoders.sentence_transformer import SentenceTransformerEncoder

            return SentenceTransformerEncoder(folder, name=description.label, device=device, exact=False)
        case other:
            raise ArtifactInvalid(f"{folder} holds an encoder of kind {other!r}; known: onnx, sentence_transformer")
