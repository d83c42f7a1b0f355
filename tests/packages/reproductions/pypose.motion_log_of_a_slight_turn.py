import pypose as pp
import torch

motion, x = pp.se3(torch.tensor((1.0, 2.0, 3.0, 2e-7, 0.0, 0.0))).Exp(), torch.zeros(6)
turn = torch.eye(6)[4]
f = lambda x: (pp.se3(x).Exp() * motion.to(x.dtype)).Log().tensor().sum()
true = (f(x.double() + 1e-4 * turn) - f(x.double() - 1e-4 * turn)).item() / 2e-4
f(x.requires_grad_()).backward()
print(gradient := (x.grad * turn).sum().item(), true)
