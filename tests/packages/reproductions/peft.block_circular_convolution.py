import torch
from peft.tuners.c3a.utils import BlockCircularConvolution

torch.manual_seed(0)
x, w, d = (torch.randn(n, dtype=torch.float64) for n in ((5, 8), (3, 2, 4), (5, 8)))
f = lambda x: BlockCircularConvolution.apply(x, w).square().sum()
true = (f(x + 1e-6 * d) - f(x - 1e-6 * d)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := (x.grad * d).sum().item(), true)
