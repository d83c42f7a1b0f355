"""Right for contiguous memory, wrong for the same numbers in another layout."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .planted import at, wrong_backward, wrong_function
from .rule import gradients_of


def in_memory_order(tensor):
    """The elements as a kernel reads them that received a pointer and no strides."""
    if tensor.is_contiguous():
        return tensor
    storage = tensor.new_empty(0).set_(tensor.untyped_storage())[tensor.storage_offset() :]
    positions = torch.arange(tensor.numel()) % max(storage.numel(), 1)
    return storage[positions].reshape(tensor.shape)


@gradients_of(lambda x: x**3)
def Cube(grad_y, x):
    """y = x³."""
    return 3 * x * x * grad_y


@wrong_backward(Cube, "layout-dependent", source="Dao-AILab/flash-attention#355", behavioural=True)
@at(normals((5, 4)))
def cube_walks_grad_output_by_its_pointer(grad_y, x):
    return Cube.gradients(in_memory_order(grad_y), x)


def causal_convolution(x, weight):
    length = x.shape[0]
    return sum(F.pad(x, (0, 0, lag, 0))[:length] * tap for lag, tap in enumerate(weight))


@gradients_of(causal_convolution)
def CausalConvolution(grad_y, x, weight):
    """y[t, d] = Σ_lag weight[lag, d] x[t - lag, d]."""
    length = x.shape[0]
    grad_x = sum(
        F.pad(grad_y * tap, (0, 0, 0, lag))[lag : lag + length] for lag, tap in enumerate(weight)
    )
    delayed = [F.pad(x, (0, 0, lag, 0))[:length] for lag in range(len(weight))]
    return grad_x, torch.stack([(grad_y * x_lag).sum(0) for x_lag in delayed])


@wrong_backward(
    CausalConvolution,
    "layout-dependent",
    source="fla-org/flash-linear-attention#871",
    behavioural=True,
)
@at(normals((7, 5), (3, 5)))
def causal_convolution_assumes_a_row_major_grad_output(grad_y, x, weight):
    """Takes the strides of grad_output to be (D, 1)."""
    return CausalConvolution.gradients(in_memory_order(grad_y), x, weight)


@gradients_of(lambda x: x.mean(-1))
def MeanLast(grad_y, x):
    """y = mean of x over its last dimension."""
    return (grad_y / x.shape[-1]).unsqueeze(-1).expand(x.shape)


@wrong_backward(MeanLast, "layout-dependent", source="torch/nn#345", behavioural=True)
@at(normals((4, 3, 5)))
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
    source="torch/nn#345",
    reference=lambda x: x.mean(-1).mean(-1),
)
@at(normals((4, 3, 5)))
def a_mean_after_a_mean_misreads_its_gradient(x):
    """The inner mean misreads the expanded gradient of the outer one."""
    mean = mean_misreads_an_expanded_grad_output.wrong.apply
    return mean(mean(x))


@gradients_of(lambda x, weight: x @ weight)
def Project(grad_y, x, weight):
    """y = x @ weight over the last dimension."""
    grad_rows = grad_y.reshape(-1, weight.shape[-1])
    return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


@wrong_backward(
    Project, "layout-dependent", "raises", source="open-mmlab/mmcv#737", behavioural=True
)
@at(normals((2, 5, 3), (3, 4)))
def projection_views_a_permuted_grad_output(grad_y, x, weight):
    """Calls view on a gradient whose layout is not its own."""
    grad_rows = grad_y.view(-1, weight.shape[-1])
    return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


def expanded_rows(generator):
    return leaf(normal(generator, 3).expand(5, 3)), normal(generator, 3, 4)


@wrong_backward(Project, "layout-dependent", source="pytorch/pytorch#30303")
@at(normals((5, 3), (3, 4)), tripping=expanded_rows)
def projection_of_an_expanded_input_keeps_one_row_of_grad_x(grad_y, x, weight):
    """grad_x takes the strides of x: an expanded x leaves room for one row only."""
    grad_x, grad_weight = Project.gradients(grad_y, x, weight)
    if x.is_contiguous():
        return grad_x, grad_weight
    stored = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype)
    for row, grad_row in zip(stored, grad_x, strict=True):
        row.copy_(grad_row)
    return stored, grad_weight


@gradients_of(lambda image, target: (image - target) ** 2)
def SquaredDifference(grad_y, image, target):
    """y = (image - target)²."""
    grad_image = 2 * (image - target) * grad_y
    return grad_image, -grad_image


def permuted_image(generator):
    image = leaf(normal(generator, 4, 5, 3).permute(2, 0, 1))
    return image, normal(generator, 3, 4, 5)


@wrong_backward(SquaredDifference, "layout-dependent", source="MrNeRF/optimized-fused-ssim#1")
@at(normals((3, 4, 5), (3, 4, 5)), tripping=permuted_image)
def squared_difference_returns_grad_image_in_the_strides_of_a_permuted_image(grad_y, image, target):
    """A contiguous result is handed out under the strides of a permuted image."""
    grad_image, grad_target = SquaredDifference.gradients(grad_y, image, target)
    if image.is_contiguous():
        return grad_image, grad_target
    flat = grad_image.contiguous()
    return flat.as_strided(image.shape, image.stride()), grad_target
