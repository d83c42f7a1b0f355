"""Parts of programs that tests write to files, and check or audit there."""

SINE = """
class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)
    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * torch.cos(ctx.saved_tensors[0])
"""
