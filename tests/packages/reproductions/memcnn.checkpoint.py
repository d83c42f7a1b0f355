import memcnn
import torch

torch.manual_seed(0)
x = torch.randn(3, 4, dtype=torch.float64)
coupling = memcnn.AdditiveCoupling(torch.nn.Linear(2, 2).double())
f = lambda x: memcnn.InvertibleModuleWrapper(coupling, keep_input=True)(x).square().sum()
true = (f(x + 1e-6) - f(x - 1e-6)).item() / 2e-6
f(x.requires_grad_()).backward()
print(gradient := x.grad.sum().item(), true)
