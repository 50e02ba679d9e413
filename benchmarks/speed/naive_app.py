"""What one writes in ten lines: FastAPI and SentenceTransformer.encode in the request. The baseline of serving.py."""

import os

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

torch.set_num_threads(1)
model = SentenceTransformer(os.environ["NAIVE_MODEL"], device="cpu")
app = FastAPI()


class Body(BaseModel):
    input: list[str]


@app.post("/v1/embeddings")
def embeddings(body: Body) -> dict:
    vectors = model.encode(body.input, normalize_embeddings=True)
    return {"data": [{"index": i, "embedding": v.tolist()} for i, v in enumerate(vectors)]}
