import torch
from torch_geometric import EdgeIndex

edges = EdgeIndex([[0, 1, 1], [0, 1, 2]], sparse_size=(2, 3), sort_order="col")
x = torch.ones(2, 1)
f = lambda x: edges.matmul(x, transpose=True).sum()
true = (f(x + 0.5) - f(x - 0.5)).item()
f(x.requires_grad_()).backward()  # raises
print(gradient := x.grad.sum().item(), true)
