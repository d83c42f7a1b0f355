"""Right for contiguous memory, wrong for the same numbers in another layout."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .planted import wrong_backward, wrong_function
from .rule import Rule


def in_memory_order(tensor):
    """The elements as a kernel reads them that received a pointer and no strides."""
    if tensor.is_contiguous():
        return tensor
    storage = tensor.new_empty(0).set_(tensor.untyped_storage())[tensor.storage_offset() :]
    positions = torch.arange(tensor.numel()) % max(storage.numel(), 1)
    return storage[positions].reshape(tensor.shape)


class Cube(Rule):
    """y = x³."""

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def gradients(grad_y, x):
        return 3 * x * x * grad_y


@wrong_backward(
    Cube,
    "layout-dependent",
    inputs=normals((5, 4)),
    source="Dao-AILab/flash-attention#355",
    behavioural=True,
)
def cube_walks_grad_output_by_its_pointer(grad_y, x):
    return Cube.gradients(in_memory_order(grad_y), x)


def causal_convolution(x, weight):
    length = x.shape[0]
    return sum(F.pad(x, (0, 0, lag, 0))[:length] * tap for lag, tap in enumerate(weight))


class CausalConvolution(Rule):
    """y[t, d] = Σ_lag weight[lag, d] x[t - lag, d]."""

    forward = staticmethod(causal_convolution)

    @staticmethod
    def gradients(grad_y, x, weight):
        length = x.shape[0]
        grad_x = sum(
            F.pad(grad_y * tap, (0, 0, 0, lag))[lag : lag + length]
            for lag, tap in enumerate(weight)
        )
        delayed = [F.pad(x, (0, 0, lag, 0))[:length] for lag in range(len(weight))]
        return grad_x, torch.stack([(grad_y * x_lag).sum(0) for x_lag in delayed])


@wrong_backward(
    CausalConvolution,
    "layout-dependent",
    inputs=normals((7, 5), (3, 5)),
    source="fla-org/flash-linear-attention#871",
    behavioural=True,
)
def causal_convolution_assumes_a_row_major_grad_output(grad_y, x, weight):
    """Takes the strides of grad_output to be (D, 1)."""
    return CausalConvolution.gradients(in_memory_order(grad_y), x, weight)


class MeanLast(Rule):
    """y = mean of x over its last dimension."""

    @staticmethod
    def forward(x):
        return x.mean(-1)

    @staticmethod
    def gradients(grad_y, x):
        return (grad_y / x.shape[-1]).unsqueeze(-1).expand(x.shape)


@wrong_backward(
    MeanLast, "layout-dependent", inputs=normals((4, 3, 5)), source="torch/nn#345", behavioural=True
)
def mean_misreads_an_expanded_grad_output(grad_y, x):
    """Reads grad_output by its pointer, yet returns an expanded tensor itself."""
    return MeanLast.gradients(in_memory_order(grad_y), x)


def mean_of_means(x):
    return MeanLast.apply(MeanLast.apply(x))


@wrong_function(
    mean_of_means,
    "layout-dependent",
    "wrong-elements",
    "missing-term",
    inputs=normals((4, 3, 5)),
    source="torch/nn#345",
    reference=lambda x: x.mean(-1).mean(-1),
)
def a_mean_after_a_mean_misreads_its_gradient(x):
    """The inner mean misreads the expanded gradient of the outer one."""
    mean = mean_misreads_an_expanded_grad_output.wrong.apply
    return mean(mean(x))


class Project(Rule):
    """y = x @ weight over the last dimension."""

    @staticmethod
    def forward(x, weight):
        return x @ weight

    @staticmethod
    def gradients(grad_y, x, weight):
        grad_rows = grad_y.reshape(-1, weight.shape[-1])
        return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


@wrong_backward(
    Project,
    "layout-dependent",
    "raises",
    inputs=normals((2, 5, 3), (3, 4)),
    source="open-mmlab/mmcv#737",
    behavioural=True,
)
def projection_views_a_permuted_grad_output(grad_y, x, weight):
    """Calls view on a gradient whose layout is not its own."""
    grad_rows = grad_y.view(-1, weight.shape[-1])
    return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


def expanded_rows(generator):
    return leaf(normal(generator, 3).expand(5, 3)), normal(generator, 3, 4)


@wrong_backward(
    Project,
    "layout-dependent",
    ordinary=normals((5, 3), (3, 4)),
    tripping=expanded_rows,
    source="pytorch/pytorch#30303",
)
def projection_of_an_expanded_input_keeps_one_row_of_grad_x(grad_y, x, weight):
    """grad_x takes the strides of x: an expanded x leaves room for one row only."""
    grad_x, grad_weight = Project.gradients(grad_y, x, weight)
    if x.is_contiguous():
        return grad_x, grad_weight
    stored = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype)
    for row, grad_row in zip(stored, grad_x, strict=True):
        row.copy_(grad_row)
    return stored, grad_weight


class SquaredDifference(Rule):
    """y = (image - target)²."""

    @staticmethod
    def forward(image, target):
        return (image - target) ** 2

    @staticmethod
    def gradients(grad_y, image, target):
        grad_image = 2 * (image - target) * grad_y
        return grad_image, -grad_image


def permuted_image(generator):
    image = leaf(normal(generator, 4, 5, 3).permute(2, 0, 1))
    return image, normal(generator, 3, 4, 5)


@wrong_backward(
    SquaredDifference,
    "layout-dependent",
    ordinary=normals((3, 4, 5), (3, 4, 5)),
    tripping=permuted_image,
    source="MrNeRF/optimized-fused-ssim#1",
)
def squared_difference_returns_grad_image_in_the_strides_of_a_permuted_image(grad_y, image, target):
    """A contiguous result is handed out under the strides of a permuted image."""
    grad_image, grad_target = SquaredDifference.gradients(grad_y, image, target)
    if image.is_contiguous():
        return grad_image, grad_target
    flat = grad_image.contiguous()
    return flat.as_strided(image.shape, image.stride()), grad_target
