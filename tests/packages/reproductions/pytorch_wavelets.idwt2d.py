import torch
from pytorch_wavelets import DWTInverse

torch.manual_seed(0)
transform = DWTInverse(wave="db2", mode="zero").double()
low, high = (torch.randn(n, dtype=torch.float64) for n in ((1, 1, 8, 6), (1, 1, 3, 8, 6)))
f = lambda high: transform((low, [high])).square().sum()
true = (f(high + 1e-6) - f(high - 1e-6)).item() / 2e-6
f(high.requires_grad_()).backward()
print(gradient := high.grad, true)
