import torch
from torch_struct.semirings import CheckpointSemiring, LogSemiring

torch.manual_seed(0)
a, b = torch.randn(2, 3, 3, dtype=torch.float64)
f = lambda a: CheckpointSemiring(LogSemiring).matmul(a, b).sum()
true = (f(a + 1e-6) - f(a - 1e-6)).item() / 2e-6
f(a.requires_grad_()).backward()  # raises
print(gradient := a.grad.sum().item(), true)
