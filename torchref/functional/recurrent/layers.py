"""Recurrent layers under the signatures of `torch.lstm`, `torch.gru` and so on."""

from collections.abc import Sequence

from torch import Tensor

from torchref.functional.recurrent.stack import Setting, stacked


def lstm(
    input: Tensor,
    hx: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The outputs, and h and c at the end, as `torch.lstm`; see `torchref.ops.LSTM`.

    Shapes: input (T, N, I), or (N, T, I) with `batch_first`; hx two tensors (L·D, N, H) for L
    layers in D directions. params are for each layer and direction w_ih (4H, I), w_hh (4H, H), both
    biases (4H) if it has them, and a projection w_hr (P, H) where h is of a smaller size P than c.
    The outputs are (T, N, D·H). With `train` what goes from layer to layer is dropped out.

    >>> x, zeros = torch.ones(2, 1, 1), torch.zeros(1, 1, 1)
    >>> params = [torch.ones(4, 1), torch.zeros(4, 1)]
    >>> y, h, c = lstm(x, (zeros, zeros), params, False, 1, 0.0, False, False, False)
    >>> y.flatten(), c.flatten()
    (tensor([0.3696, 0.5453]), tensor([0.9638]))
    """
    setting = Setting(has_biases, num_layers, dropout, train, bidirectional, batch_first)
    y, (h, c) = stacked("lstm", input, hx, params, setting)
    return y, h, c


def gru(
    input: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    """The outputs, and h at the end, as `torch.gru`; see `torchref.ops.GRU`.

    Shapes: input (T, N, I), or (N, T, I) with `batch_first`; hx (L·D, N, H) for L layers in D
    directions. params are for each layer and direction w_ih (3H, I), w_hh (3H, H), and both
    biases (3H) if it has them. The outputs are (T, N, D·H).

    >>> x, params = torch.ones(2, 1, 1), [torch.ones(3, 1), torch.zeros(3, 1)]
    >>> gru(x, torch.zeros(1, 1, 1), params, False, 1, 0.0, False, False, False)[0].flatten()
    tensor([0.2048, 0.3546])
    """
    setting = Setting(has_biases, num_layers, dropout, train, bidirectional, batch_first)
    y, (h,) = stacked("gru", input, hx, params, setting)
    return y, h


def rnn_tanh(
    input: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    """The outputs, and h at the end, as `torch.rnn_tanh`; see `torchref.ops.RNN`.

    Shapes: input (T, N, I), or (N, T, I) with `batch_first`; hx (L·D, N, H) for L layers in D
    directions. params are for each layer and direction w_ih (H, I), w_hh (H, H), and both
    biases (H) if it has them. The outputs are (T, N, D·H).

    >>> x, params = torch.ones(2, 1, 1), [torch.ones(1, 1), torch.zeros(1, 1)]
    >>> rnn_tanh(x, torch.zeros(1, 1, 1), params, False, 1, 0.0, False, False, False)[0].flatten()
    tensor([0.7616, 0.7616])
    """
    setting = Setting(has_biases, num_layers, dropout, train, bidirectional, batch_first)
    y, (h,) = stacked("rnn_tanh", input, hx, params, setting)
    return y, h


def rnn_relu(
    input: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    """The outputs, and h at the end, as `torch.rnn_relu`; see `torchref.ops.RNN`.

    As `rnn_tanh`, with a ReLU.

    >>> x, params = torch.ones(2, 1, 1), [torch.ones(1, 1), torch.zeros(1, 1)]
    >>> rnn_relu(x, torch.zeros(1, 1, 1), params, False, 1, 0.0, False, False, False)[0].flatten()
    tensor([1., 1.])
    """
    setting = Setting(has_biases, num_layers, dropout, train, bidirectional, batch_first)
    y, (h,) = stacked("rnn_relu", input, hx, params, setting)
    return y, h
