"""An index for each slice along a dimension: taking and adding are each other's transpose."""

from torchref.ops.op import Op, save


class IndexSelect(Op):
    r"""y_i = x_{index_i}, the slices along dim.

    Derivation: as for `Gather`, with whole slices: ∂L/∂x_r = Σ_i [index_i = r] ∂L/∂y_i, the sum
    over all places where the slice was put, `IndexAdd` into zeros.
    Shapes: x any, index (n); y as x, with n slices along dim.
    Saves index: the map is linear, so that x is in no derivative.
    Source: `torch.index_select`.

    >>> IndexSelect.call(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 1, 0]), 0)
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """

    @staticmethod
    def forward(x, index, dim):
        return x.index_select(dim, index)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, index, ctx.dim = inputs
        ctx.shape = x.shape
        save(ctx, index)

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        zeros = grad_y.new_zeros(ctx.shape)
        return IndexAdd.call(zeros, index, grad_y, ctx.dim, 1), None, None  # index, dim

    @staticmethod
    def tangent(ctx, dx, _index, _dim):
        (index,) = ctx.saved_tensors
        return IndexSelect.call(dx, index, ctx.dim)


class IndexAdd(Op):
    r"""y_r = x_r + α Σ_i [index_i = r] source_i, the slices along dim, with a number α.

    Derivation: with g = ∂L/∂y ∂L/∂x = g, and ∂L/∂source_i = α g_{index_i}: each slice finds the
    gradient of the place that it was added to, `IndexSelect`.
    Shapes: x and y alike, any; index (n); source as x, with n slices along dim.
    Saves index: the map is linear.
    Source: `torch.index_add`.

    >>> IndexAdd.call(torch.zeros(3), torch.tensor([2, 0, 2]), torch.tensor([1.0, 10.0, 5.0]), 0, 2)
    tensor([20.,  0., 12.])
    """

    @staticmethod
    def forward(x, index, source, dim, alpha):
        return x.index_add(dim, index, source, alpha=alpha)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, index, _, ctx.dim, ctx.alpha = inputs
        save(ctx, index)

    @staticmethod
    def backward(ctx, grad_y):
        (index,) = ctx.saved_tensors
        need_x, _, need_source, *_ = ctx.needs_input_grad
        grad_source = None
        if need_source:
            grad_source = ctx.alpha * IndexSelect.call(grad_y, index, ctx.dim)
        return grad_y if need_x else None, None, grad_source, None, None

    @staticmethod
    def tangent(ctx, dx, _index, dsource, _dim, _alpha):
        (index,) = ctx.saved_tensors
        return IndexAdd.call(dx, index, dsource, ctx.dim, ctx.alpha)
