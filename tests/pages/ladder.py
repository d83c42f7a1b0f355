"""The ladder of the ops: which models they make, one after the other, and what shows each."""

from typing import NamedTuple


class Rung(NamedTuple):
    """A model, what it has that those before it have not, its new ops, and what to run."""

    name: str
    adds: str
    ops: tuple[str, ...]
    run: str


LADDER = (
    Rung(
        "one neuron",
        "a weighted sum, a curve, and a loss: the chain rule of lecture 000",
        ("Affine", "Sigmoid", "LogLoss", "LogLossWithLogits"),
        "python -m experiments.log_loss_network",
    ),
    Rung(
        "layers",
        "matrices in place of single weights: lectures 001 to 004",
        ("MatMul", "HomogeneousAffine", "SquaredError", "Reduction"),
        "python -m experiments.two_neuron_chain",
    ),
    Rung(
        "many layers",
        "slopes that do not shrink the gradient from layer to layer",
        ("Tanh", "ReLU", "LeakyReLU", "SiLU", "GELU"),
        "python -m experiments.vanishing_gradients",
    ),
    Rung(
        "many classes",
        "chances that sum to one, and the loss in which their slope cancels",
        ("Softmax", "LogSoftmax", "SoftmaxCrossEntropy", "IndexCrossEntropy"),
        "python -m experiments.digits",
    ),
    Rung(
        "images",
        "one small weight for all places; norms and dropout, with which it trains",
        ("Convolution", "MaxPool", "AvgPool", "Standardisation", "Dropout"),
        "python -m experiments.convnet_digits",
    ),
    Rung(
        "sequences",
        "rows of a table for symbols, and a state from step to step",
        ("Embedding", "RNN", "LSTM", "GRU", "LinearRecurrence"),
        "python -m experiments.lstm_text",
    ),
    Rung(
        "attention",
        "every position reads all others, and knows where they are",
        ("Attention", "BlockwiseAttention", "Rotary"),
        "python -m experiments.attention_memory",
    ),
    Rung(
        "a transformer",
        "attention and wide layers in turn, each behind a norm",
        ("RMSNorm", "SwiGLU", "GEGLU", "LinearCrossEntropy"),
        "python -m experiments.gpt",
    ),
)
