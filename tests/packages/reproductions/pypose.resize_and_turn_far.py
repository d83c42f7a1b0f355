import pypose as pp
import torch

x = torch.tensor((0.5, -1.0, 1.5, 2.0, -1.5, 1.0, 0.5), dtype=torch.float64)
p = torch.tensor((1.0, 2.0, -1.0), dtype=torch.float64)
f = lambda x: pp.sim3(x).Exp().Act(p).sum()
true = (f(x + 1e-6) - f(x - 1e-6)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := x.grad.sum().item(), true)
