import torch
from memcnn.models.affine import AffineAdapterNaive, AffineCoupling

torch.manual_seed(0)
x, layer = torch.randn(3, 4, dtype=torch.float64), torch.nn.Linear(2, 2).double()
f = AffineCoupling(
    layer.requires_grad_(False),
    adapter=AffineAdapterNaive,
    implementation_fwd=0,
    implementation_bwd=0,
)
true = (f(x + 1e-6) - f(x - 1e-6)).sum().item() / 2e-6
f(x.requires_grad_()).sum().backward()  # raises
print(gradient := x.grad.sum().item(), true)
