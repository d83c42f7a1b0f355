"""What the functions and methods of torch give: new tensors, views, copies, numbers."""

import torch


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


VIEWS = words(
    "view view_as t transpose permute squeeze unsqueeze expand expand_as detach narrow select "
    "diagonal unfold swapaxes swapdims movedim moveaxis adjoint view_as_real view_as_complex "
    "real imag T mT H mH data"
)
SEVERAL_VIEWS = frozenset(["unbind", "chunk", "split", "tensor_split"])
# These give the tensor itself where there is nothing to do.
AT_TIMES_ITSELF = words(
    "contiguous to type float double half bfloat16 cpu cuda reshape reshape_as flatten "
    "type_as ravel resolve_conj resolve_neg"
)
# Numbers, truth values, shapes: nothing that has a gradient, and no tensor.
PLAIN = words(
    "size dim ndimension numel nelement item tolist stride shape dtype device layout ndim "
    "names requires_grad is_cuda is_leaf is_sparse is_contiguous is_floating_point is_complex "
    "data_ptr element_size get_device storage_offset untyped_storage storage numpy "
    "is_same_size equal allclose grad_fn itemsize nbytes is_signed is_quantized is_nested "
    "_version is_tensor finfo iinfo is_grad_enabled is_autocast_enabled result_type "
    "promote_types can_cast broadcast_shapes get_default_dtype manual_seed seed"
)
# Tensors of integers or truth values: they have no gradient, and neither has what is made of them.
WITHOUT_GRADIENT = words(
    "long int bool short byte char argmax argmin argsort searchsorted bucketize nonzero isnan "
    "isinf isfinite eq ne gt ge lt le greater less greater_equal less_equal not_equal isclose "
    "logical_and logical_or logical_not logical_xor any all sign sgn signbit bincount "
    "count_nonzero histc multinomial bernoulli unique where_indices bitwise_and bitwise_or "
    "bitwise_not isin floor ceil round trunc heaviside"
)
WITH_INDICES = words("sort topk kthvalue mode median max min cummax cummin")
# New tensors that depend on no input until something is written into them.
FRESH = frozenset(
    f"{prefix}{name}{suffix}"
    for name in ["empty", "zeros", "ones", "full", "rand", "randn", "randint"]
    for prefix, suffix in (("", ""), ("", "_like"), ("new_", ""))
) | words(
    "arange eye linspace logspace randperm tensor as_tensor new_tensor scalar_tensor "
    "empty_strided empty_permuted from_numpy triu_indices tril_indices"
)
# Methods that end in _ and write no number.
WRITES_NOTHING = words(
    "requires_grad_ share_memory_ rename_ detach_ set_ squeeze_ unsqueeze_ t_ transpose_"
)
# Of the new tensors, those that somebody is still to fill, as a kernel does.
TO_BE_FILLED = words("empty empty_like new_empty zeros zeros_like new_zeros")

_NAMESPACES = (torch._C._VariableFunctions, torch.nn.functional, torch.linalg, torch.special)


def is_method(name: str) -> bool:
    """Whether a tensor has a method of this name that gives a tensor, or several."""
    return callable(getattr(torch.Tensor, name, None)) and not name.startswith(("__", "is_"))


def is_tensor_function(dotted: str) -> bool:
    """Whether a dotted name is a function of torch that gives a tensor, or several.

    >>> is_tensor_function("torch.exp"), is_tensor_function("torch.device")
    (True, False)
    """
    space, _, name = dotted.rpartition(".")
    if name.startswith(("is_", "_")) or name in PLAIN:
        return False
    if space in ("torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft"):
        return any(callable(getattr(each, name, None)) for each in (*_NAMESPACES, torch.fft))
    return False
