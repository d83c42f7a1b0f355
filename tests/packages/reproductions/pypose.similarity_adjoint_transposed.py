import pypose as pp
import torch

torch.manual_seed(0)
motion, a = pp.randn_Sim3(4, dtype=torch.float64), torch.randn(4, 7, dtype=torch.float64)
f = lambda a: motion.AdjT(pp.sim3(a)).tensor().square().sum()
true = (f(a + 1e-6) - f(a - 1e-6)).item() / 2e-6
f(a.requires_grad_()).backward()
print(gradient := a.grad.sum().item(), true)
