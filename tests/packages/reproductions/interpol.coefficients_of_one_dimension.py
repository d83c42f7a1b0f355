import interpol
import torch

torch.manual_seed(0)
x = torch.randn(4, 7, dtype=torch.float64)
f = lambda x: interpol.spline_coeff(x, interpolation=3, bound="dft", dim=-1).sum()
true = (f(x + 1e-6) - f(x - 1e-6)).item() / 2e-6
f(x.requires_grad_()).backward()  # raises
print(gradient := x.grad.sum().item(), true)
