import torch
from memcnn.models.additive import AdditiveCoupling

torch.manual_seed(0)
x, layer = torch.randn(3, 4, dtype=torch.float64), torch.nn.Linear(2, 2).double()
f = AdditiveCoupling(layer.requires_grad_(False), implementation_fwd=1, implementation_bwd=1)
true = (f(x + 1e-6) - f(x - 1e-6)).sum().item() / 2e-6
f(x.requires_grad_()).sum().backward()  # raises
print(gradient := x.grad.sum().item(), true)
