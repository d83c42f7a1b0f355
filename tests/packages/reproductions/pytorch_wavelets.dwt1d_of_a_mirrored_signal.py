import torch
from pytorch_wavelets import DWT1DForward

torch.manual_seed(0)
transform = DWT1DForward(J=1, wave="db2", mode="symmetric").double()
x = torch.randn(1, 1, 9, dtype=torch.float64)
f = lambda x: transform(x)[0].square().sum()
true = (f(x + 1e-6) - f(x - 1e-6)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := x.grad.sum().item(), true)
