import pypose as pp
import torch

x = torch.tensor((1.0, 2.0, 3.0, 2e-7, 0.0, 0.0))
turn, p = torch.eye(6)[4], torch.tensor((0.1, 0.2, 0.3))
f = lambda x: pp.se3(x).Exp().Act(p.to(x.dtype)).sum()
true = (f(x.double() + 1e-4 * turn) - f(x.double() - 1e-4 * turn)).item() / 2e-4
f(x.requires_grad_()).backward()
print(gradient := (x.grad * turn).sum().item(), true)
