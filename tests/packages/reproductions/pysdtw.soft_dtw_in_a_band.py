import pysdtw
import torch
from torch.nn.utils.rnn import pack_sequence

torch.manual_seed(0)
x, y, d = torch.randn(3, 6, 2)
other, far = torch.randn(4, 2), torch.randn(5, 2)
g = pysdtw.SoftDTW(gamma=1.0, use_cuda=False, bandwidth=2)
f = lambda x: g(pack_sequence([y, x]), pack_sequence([y[:5], far])).sum()
x = other
true = (f(x + 1e-2) - f(x - 1e-2)).item() / 2e-2
f(x.requires_grad_()).backward()
print(gradient := x.grad.sum().item(), true)
