import pytest
import torch
from torch.nn import functional

from models.training.bases import open_base
from models.training.distillation import SimilarityDistillation, as_labels, similarity_divergence


def test_a_student_that_agrees_has_nothing_to_learn():
    teacher = functional.normalize(torch.randn(5, 8), dim=1)
    wider = torch.cat([teacher, torch.zeros(5, 3)], dim=1)
    assert similarity_divergence(wider, teacher, scale=20.0).item() == pytest.approx(0, abs=1e-5)
    assert similarity_divergence(torch.randn(5, 3), teacher, scale=20.0).item() > 0.1


def test_a_student_learns_who_is_near_whom(tiny, tmp_path):
    torch.manual_seed(0)
    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    texts = ["nurse", "carer", "welder", "joiner", "baker"]
    teacher = torch.tensor([[1.0, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [-1, 0]])
    loss = SimilarityDistillation(base.model)
    labels = torch.tensor(as_labels(teacher.numpy()))
    optimizer = torch.optim.Adam(base.model.parameters(), lr=1e-2)
    base.model.eval()
    seen = []
    for _ in range(30):
        value = loss([base.model.preprocess(texts)], labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append(value.item())
    assert seen[-1] < seen[0] / 2
