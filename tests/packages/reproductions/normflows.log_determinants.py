import torch
from normflows.flows.residual import basic_logdet_estimator, mem_eff_wrapper

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh()).double()
x, noise = torch.randn(2, 5, 3, dtype=torch.float64)
arguments = (4, noise, lambda _k: 1.0, True)
f = lambda x: mem_eff_wrapper(basic_logdet_estimator, network, x, *arguments)[1][1]
true = (f(x + 1e-6) - f(x - 1e-6)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := x.grad.sum().item(), true)
