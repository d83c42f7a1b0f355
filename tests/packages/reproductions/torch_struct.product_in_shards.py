import torch
from torch_struct.semirings import CheckpointShardSemiring, LogSemiring

torch.manual_seed(0)
a, b = torch.randn(2, 5, 4, 4, dtype=torch.float64)
f = lambda a, b: CheckpointShardSemiring(LogSemiring, 16).matmul(a, b).sum()
true = (f(a + 1e-6, b) - f(a - 1e-6, b)).item() / 2e-6
f(a.requires_grad_(), b.requires_grad_()).backward()  # raises
print(gradient := a.grad.sum().item(), true)
