import torch
from memcnn.models.additive import AdditiveCoupling

torch.manual_seed(0)
x, d = torch.randn(2, 3, 4, dtype=torch.float64)
layer = torch.nn.Linear(2, 2).double()
coupling = AdditiveCoupling(layer, implementation_fwd=0, implementation_bwd=0)
f = lambda x: coupling.inverse(x).square().sum()
true = (f(x + 1e-6 * d) - f(x - 1e-6 * d)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := (x.grad * d).sum().item(), true)
