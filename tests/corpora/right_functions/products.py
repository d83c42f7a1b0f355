"""Products of matrices, attention, and distances between rows."""

import torch
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal, normals, with_entries

from .right_function import family


def masked_attention(query, key, value, mask):
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def attention_with_mask(generator):
    mask = indices(generator, 2, 5, 6).bool()
    mask[:, 0] = True
    return *normals((2, 5, 4), (2, 6, 4), (2, 6, 3))(generator), mask


def coincident_rows(generator):
    x1, x2 = normal(generator, 4, 3).detach(), normal(generator, 5, 3).detach()
    x2[2] = x1[1]
    return leaf(x1), leaf(x2)


ATTENTION = normals((2, 5, 4), (2, 6, 4), (2, 6, 3))
FUNCTIONS = family(
    ("matmul", torch.matmul, normals((2, 4, 3), (3, 5))),
    ("matmul of a vector", torch.matmul, normals((4, 3), (3,))),
    ("mm", torch.mm, normals((4, 3), (3, 5))),
    ("mv", torch.mv, normals((4, 3), (3,))),
    ("bmm", torch.bmm, normals((2, 4, 3), (2, 3, 5))),
    ("dot", torch.dot, normals((5,), (5,))),
    ("outer", torch.outer, normals((4,), (3,))),
    ("addmm", torch.addmm, normals((5,), (4, 3), (3, 5)), {"beta": 0.5, "alpha": 2.0}),
    ("baddbmm", torch.baddbmm, normals((2, 4, 5), (2, 4, 3), (2, 3, 5))),
    (
        "einsum of three",
        lambda a, b, c: torch.einsum("ij,jk,ki->j", a, b, c),
        normals((4, 3), (3, 5), (5, 4)),
    ),
    ("tensordot", torch.tensordot, normals((4, 3, 2), (3, 2, 5)), {"dims": 2}),
    ("kron", torch.kron, normals((2, 3), (4, 2))),
    ("linear", F.linear, normals((2, 5, 3), (4, 3), (4,))),
    ("linear without bias", F.linear, normals((5, 3), (4, 3))),
    ("bilinear", F.bilinear, normals((5, 3), (5, 4), (2, 3, 4), (2,))),
    ("scaled_dot_product_attention", F.scaled_dot_product_attention, ATTENTION),
    (
        "causal scaled_dot_product_attention",
        F.scaled_dot_product_attention,
        normals((2, 5, 4), (2, 5, 4), (2, 5, 3)),
        {"is_causal": True},
    ),
    ("masked scaled_dot_product_attention", masked_attention, attention_with_mask),
    ("cross", torch.linalg.cross, normals((4, 3), (4, 3))),
    ("cosine_similarity", F.cosine_similarity, normals((4, 5), (4, 5))),
    ("pairwise_distance", F.pairwise_distance, normals((4, 3), (4, 3))),
    ("cdist", torch.cdist, normals((4, 3), (5, 3))),
    ("cdist at coincident rows", torch.cdist, coincident_rows),
    ("cdist of order 1", torch.cdist, normals((4, 3), (5, 3)), {"p": 1.0}),
    ("pdist", F.pdist, normals((5, 3))),
    ("outer of a zero", torch.outer, lambda g: (*with_entries((4,), {(2,): 0.0})(g), normal(g, 3))),
)
