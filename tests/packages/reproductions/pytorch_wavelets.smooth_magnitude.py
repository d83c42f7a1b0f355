import torch
from pytorch_wavelets.scatternet.lowlevel import SmoothMagFn

torch.manual_seed(0)
x, y = torch.randn(2, 5, dtype=torch.float64)
f = lambda y: SmoothMagFn.apply(x, y, 0.1).sum()
true = (f(y + 1e-6) - f(y - 1e-6)).item() / 2e-6
f(y.requires_grad_()).backward()  # raises
print(gradient := y.grad.sum().item(), true)
