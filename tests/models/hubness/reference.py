"""Every method as its equation reads: slow, obvious, float64, whole matrices."""

import numpy as np


def similarity(queries, items):
    return queries.astype(np.float64) @ items.astype(np.float64).T


def log_partition(items, bank, beta, masked=()):
    powers = beta * similarity(bank, items)
    for b, g in masked:
        powers[b, g] = -np.inf
    out = np.empty(len(items))
    for g in range(len(items)):
        finite = powers[:, g][np.isfinite(powers[:, g])]
        top = finite.max() if len(finite) else 0
        out[g] = top + np.log(np.exp(finite - top).sum()) if len(finite) else -np.inf
    return out


def sd(items, bank):
    return np.mean([np.std(row) for row in similarity(bank, items)])


def active(items, bank, k=1, masked=()):
    near = similarity(bank, items).astype(np.float32)
    for b, g in masked:
        near[b, g] = -np.inf
    inside = np.zeros(len(items), bool)
    for row in near:
        inside[[g for g in np.argsort(-row, kind="stable")[:k] if np.isfinite(row[g])]] = True
    return inside


def nearness(items, bank, k):
    return np.array([np.sort(column)[::-1][:k].mean() for column in similarity(bank, items).T])


def scores(method, queries, items, bank, gallery, *, beta, gallery_beta, alpha=0.75, k=16, iterations=10):
    """(n, N) float64, up to a constant per query."""
    s = similarity(queries, items)
    first = s.argmax(axis=1)
    log_q, log_g = log_partition(items, bank, beta), log_partition(items, gallery, gallery_beta)
    total = beta + gallery_beta
    a, b = active(items, bank)[first][:, None], active(items, gallery)[first][:, None]
    if method == "none":
        return s
    if method == "is":
        return s - log_q / beta
    if method == "dis":
        return np.where(a, s - log_q / beta, s)
    if method == "dual_is":
        return s - (log_q + log_g) / total
    if method == "dual_dis":
        return s - (a * log_q + b * log_g) / total
    if method == "csls":
        to_items = np.sort(s, axis=1)[:, ::-1][:, :10].mean(axis=1, keepdims=True)
        return 2 * s - to_items - nearness(items, bank, 10)
    if method == "nnn":
        return s - alpha * nearness(items, bank, k)
    if method == "centre":
        left, right = queries - bank.mean(axis=0), items - items.mean(axis=0)
        left, right = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (left, right))
        return similarity(left, right)
    if method == "sinkhorn":
        powers = beta * similarity(bank, np.concatenate([items, gallery]))
        plan = np.exp(powers - powers.max())
        left, right = np.ones(len(bank)), np.ones(plan.shape[1])
        for _ in range(iterations):
            left = 1 / (plan @ right)
            right = 1 / (left @ plan)
        return s + np.log(right[: len(items)]) / beta
    raise AssertionError(method)


def order(scores, k=10):
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]
