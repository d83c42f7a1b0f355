"""Right for contiguous memory, wrong for the same numbers in another layout."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals


def in_memory_order(tensor):
    """The elements as a kernel reads them that received a pointer and no strides."""
    if tensor.is_contiguous():
        return tensor
    storage = tensor.new_empty(0).set_(tensor.untyped_storage())[tensor.storage_offset() :]
    positions = torch.arange(tensor.numel()) % max(storage.numel(), 1)
    return storage[positions].reshape(tensor.shape)


class Cube(SavesInputs):
    """y = x³."""

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 3 * x * x * grad_y


class CubeIgnoringStrides(Cube):
    """Walks grad_output by its pointer."""

    @staticmethod
    def backward(ctx, grad_y):
        return Cube.backward(ctx, in_memory_order(grad_y))


def causal_convolution(x, weight):
    length = x.shape[0]
    return sum(F.pad(x, (0, 0, lag, 0))[:length] * tap for lag, tap in enumerate(weight))


class CausalConvolution(SavesInputs):
    """y[t, d] = Σ_lag weight[lag, d] x[t - lag, d]."""

    @staticmethod
    def forward(x, weight):
        return causal_convolution(x, weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        length = x.shape[0]
        grad_x = sum(
            F.pad(grad_y * tap, (0, 0, 0, lag))[lag : lag + length]
            for lag, tap in enumerate(weight)
        )
        delayed = [F.pad(x, (0, 0, lag, 0))[:length] for lag in range(len(weight))]
        return grad_x, torch.stack([(grad_y * x_lag).sum(0) for x_lag in delayed])


class CausalConvolutionAssumingRowMajor(CausalConvolution):
    """Takes the strides of grad_output to be (D, 1)."""

    @staticmethod
    def backward(ctx, grad_y):
        return CausalConvolution.backward(ctx, in_memory_order(grad_y))


class MeanLast(SavesInputs):
    """y = mean of x over its last dimension."""

    @staticmethod
    def forward(x):
        return x.mean(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (grad_y / x.shape[-1]).unsqueeze(-1).expand(x.shape)


class MeanLastIgnoringStrides(MeanLast):
    """Reads grad_output by its pointer, yet returns an expanded tensor itself."""

    @staticmethod
    def backward(ctx, grad_y):
        return MeanLast.backward(ctx, in_memory_order(grad_y))


def mean_of_means(x):
    return MeanLast.apply(MeanLast.apply(x))


def mean_of_means_ignoring_strides(x):
    """The inner mean misreads the expanded gradient of the outer one."""
    return MeanLastIgnoringStrides.apply(MeanLastIgnoringStrides.apply(x))


class Project(SavesInputs):
    """y = x @ weight over the last dimension."""

    @staticmethod
    def forward(x, weight):
        return x @ weight

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        grad_rows = grad_y.reshape(-1, weight.shape[-1])
        return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


class ProjectWithView(Project):
    """Calls view on a gradient whose layout is not its own."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        grad_rows = grad_y.view(-1, weight.shape[-1])
        return grad_y @ weight.t(), x.reshape(-1, weight.shape[0]).t() @ grad_rows


class ProjectIntoStridesOfInput(Project):
    """grad_x takes the strides of x: an expanded x leaves room for one row only."""

    @staticmethod
    def backward(ctx, grad_y):
        x, _ = ctx.saved_tensors
        grad_x, grad_weight = Project.backward(ctx, grad_y)
        if x.is_contiguous():
            return grad_x, grad_weight
        stored = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype)
        for row, grad_row in zip(stored, grad_x, strict=True):
            row.copy_(grad_row)
        return stored, grad_weight


class SquaredDifference(SavesInputs):
    """y = (image - target)²."""

    @staticmethod
    def forward(image, target):
        return (image - target) ** 2

    @staticmethod
    def backward(ctx, grad_y):
        image, target = ctx.saved_tensors
        grad_image = 2 * (image - target) * grad_y
        return grad_image, -grad_image


class SquaredDifferenceInStridesOfImage(SquaredDifference):
    """A contiguous result is handed out under the strides of a permuted image."""

    @staticmethod
    def backward(ctx, grad_y):
        image, _ = ctx.saved_tensors
        grad_image, grad_target = SquaredDifference.backward(ctx, grad_y)
        if image.is_contiguous():
            return grad_image, grad_target
        flat = grad_image.contiguous()
        return flat.as_strided(image.shape, image.stride()), grad_target


def permuted_image(generator):
    image = leaf(normal(generator, 4, 5, 3).permute(2, 0, 1))
    return image, normal(generator, 3, 4, 5)


def expanded_rows(generator):
    return leaf(normal(generator, 3).expand(5, 3)), normal(generator, 3, 4)


BUGS = (
    PlantedBug(
        name="cube walks grad_output by its pointer",
        wrong=CubeIgnoringStrides,
        right=Cube,
        reference=lambda x: x**3,
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("layout-dependent",),
        source="Dao-AILab/flash-attention#355",
        behavioural=True,
    ),
    PlantedBug(
        name="causal convolution assumes a row-major grad_output",
        wrong=CausalConvolutionAssumingRowMajor,
        right=CausalConvolution,
        reference=causal_convolution,
        ordinary=normals((7, 5), (3, 5)),
        tripping=normals((7, 5), (3, 5)),
        causes=("layout-dependent",),
        source="fla-org/flash-linear-attention#871",
        behavioural=True,
    ),
    PlantedBug(
        name="mean misreads an expanded grad_output",
        wrong=MeanLastIgnoringStrides,
        right=MeanLast,
        reference=lambda x: x.mean(-1),
        ordinary=normals((4, 3, 5)),
        tripping=normals((4, 3, 5)),
        causes=("layout-dependent",),
        source="torch/nn#345",
        behavioural=True,
    ),
    PlantedBug(
        name="a mean after a mean misreads its gradient",
        wrong=mean_of_means_ignoring_strides,
        right=mean_of_means,
        reference=lambda x: x.mean(-1).mean(-1),
        ordinary=normals((4, 3, 5)),
        tripping=normals((4, 3, 5)),
        causes=("layout-dependent", "wrong-elements", "missing-term"),
        source="torch/nn#345",
    ),
    PlantedBug(
        name="projection views a permuted grad_output",
        wrong=ProjectWithView,
        right=Project,
        reference=torch.matmul,
        ordinary=normals((2, 5, 3), (3, 4)),
        tripping=normals((2, 5, 3), (3, 4)),
        causes=("layout-dependent", "raises"),
        source="open-mmlab/mmcv#737",
        behavioural=True,
    ),
    PlantedBug(
        name="projection of an expanded input keeps one row of grad_x",
        wrong=ProjectIntoStridesOfInput,
        right=Project,
        reference=torch.matmul,
        ordinary=normals((5, 3), (3, 4)),
        tripping=expanded_rows,
        causes=("layout-dependent",),
        source="pytorch/pytorch#30303",
    ),
    PlantedBug(
        name="squared difference returns grad_image in the strides of a permuted image",
        wrong=SquaredDifferenceInStridesOfImage,
        right=SquaredDifference,
        reference=lambda image, target: (image - target) ** 2,
        ordinary=normals((3, 4, 5), (3, 4, 5)),
        tripping=permuted_image,
        causes=("layout-dependent",),
        source="MrNeRF/optimized-fused-ssim#1",
    ),
)
