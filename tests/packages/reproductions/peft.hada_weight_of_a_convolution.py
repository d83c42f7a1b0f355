import torch
from peft.tuners.loha.layer import make_weight_cp

torch.manual_seed(0)
t, u, a, b, c = (
    torch.randn(n).double() for n in ((2, 2, 3, 3), (2, 2, 3, 3), (2, 5), (2, 4), (2, 5))
)
f = lambda a: make_weight_cp(t, a, b, u, c, b, torch.tensor(1.0)).square().sum()
true = (f(a + 1e-6) - f(a - 1e-6)).item() / 2e-6
f(a.requires_grad_()).backward()
print(gradient := a.grad.sum().item(), true)
