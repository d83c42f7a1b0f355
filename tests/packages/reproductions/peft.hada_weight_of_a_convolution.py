import torch
from peft.tuners.loha.layer import make_weight_cp

torch.manual_seed(0)
t, a, b, c = (torch.randn(n, dtype=torch.float64) for n in ((2, 2, 3, 3), (2, 5), (2, 4), (2, 5)))
f = lambda a: make_weight_cp(t, a, b, t, c, b, torch.tensor(1.0)).square().sum()
true = (f(a + 1e-6 * c) - f(a - 1e-6 * c)).item() / 2e-6
f(a.requires_grad_()).backward()
print(gradient := (a.grad * c).sum().item(), true)
