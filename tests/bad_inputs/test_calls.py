"""Bad arguments of the public calls: each is one `InputError`, with three parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchref
from torchref import InputError, audit, compare, crosscheck, explain, nn
from torchref import functional as F
from torchref.backprop import Backprop, sweep
from torchref.testing import claims_of
from torchref.training import Settings

X, T = torch.full((4, 3), 0.5), torch.full((4, 2), 0.5)
NAN, MANY = float("nan"), torch.zeros(4, 9)
NETWORK, LOSS = nn.SigmoidNetwork((3, 2)), nn.SquaredError()
IMAGE, KERNEL = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3)
CLASSES = torch.tensor([0, 1, 2, 0])
silu = torch.nn.functional.silu


def checked(**options: Any) -> Callable[[], Any]:
    return lambda: crosscheck(silu, None, (X,), **options)


def compared(**options: Any) -> Callable[[], Any]:
    return lambda: compare({"a": X}, {"a": X}, **options)


def explained(*place: Any, **options: Any) -> Callable[[], Any]:
    return lambda: explain(NETWORK, LOSS, X, T, *place, **options)


def reported(**options: Any) -> Callable[[], Any]:
    return lambda: audit().report(**options)


OF_CROSSCHECK = [
    (lambda: crosscheck(3, silu, (X,)), "an object of type int arrived"),
    (lambda: crosscheck(None, silu, (X,)), "an object of type NoneType arrived"),
    (lambda: crosscheck("silu", silu, (X,)), "an object of type str arrived"),
    (lambda: crosscheck(torch.nn.SiLU, silu, (X,)), "the class SiLU of type type arrived"),
    (lambda: crosscheck(silu, 3, (X,)), "reference= takes a torch.autograd.Function"),
    (lambda: crosscheck(silu, "silu", (X,)), "reference= takes a torch.autograd.Function"),
    (lambda: crosscheck(silu, torch.nn.SiLU, (X,)), "the class SiLU of type type arrived"),
    (lambda: crosscheck(silu), "inputs were left out. Write crosscheck(candidate, reference, (x"),
    (lambda: crosscheck(silu, None, ()), "no tensor arrived"),
    (lambda: crosscheck(silu, None, X), "a tensor arrived. Write (x,) for a single input."),
    (lambda: crosscheck(silu, None, 3), "3 arrived. Write (x,) for a single input."),
    (lambda: crosscheck(silu, None, "x"), "'x' arrived. Write (x,) for a single input."),
    (lambda: crosscheck(silu, None, (3,)), "but only int arrived. Wrap what holds numbers"),
    (lambda: crosscheck(silu, None, ([1.0],)), "but only float arrived"),
    (lambda: crosscheck(silu, None, (np.ones(3),)), "but only ndarray arrived"),
    (lambda: crosscheck(silu, None, (torch.arange(3),)), "torch.int64 arrived"),
    (lambda: crosscheck(silu, None, (X.to_sparse(),)), "torch.float32 that is sparse_coo arrived"),
    (lambda: crosscheck(silu, None, (X.to("meta"),)), "input is on the meta device. Make it on"),
    (lambda: crosscheck(silu, None, (X * NAN,)), "input has 12 of them"),
    (lambda: crosscheck(silu, lambda _: 1 / 0, (X,)), "raised ZeroDivisionError"),
    (lambda: crosscheck(silu, lambda x: x[:1], (X,)), "silu returned (4, 3) and <lambda> (1, 3)"),
    (lambda: crosscheck(silu, lambda x, _: x, (X,)), "the reference must accept the inputs, but"),
    (checked(kwargs=3), "kwargs must map the names of further arguments to them, but 3"),
    (checked(samples=3), "samples must be a list or tuple of further inputs"),
    (checked(samples=[3]), "inputs must be a tuple of arguments"),
    (checked(samples=[(3,)]), "but only int arrived"),
    (checked(wrt="nonsense"), "wrt must name differentiable inputs, of input, but nonsense"),
    (checked(wrt=3), "wrt must be a collection of names of inputs, but 3 arrived"),
    (checked(wrt=[3]), "wrt must name differentiable inputs, of input, but 3 arrived"),
    (checked(wrt=[]), "nothing arrived"),
    (checked(seed=-1), "seed must lie in 0 … 4294967295, as a whole number, but -1"),
    (checked(seed="a"), "'a' arrived. Any small number will do."),
    (checked(seed=1.5), "1.5 arrived. Any small number will do."),
    (checked(seed=2**32), "4294967296 arrived"),
    (checked(seed=None), "None arrived"),
    (checked(order=0), "order must be 1, for one ordinary backward, or 2"),
    (checked(order=3), "3 arrived. Leave it out for 1."),
    (checked(order="2"), "'2' arrived"),
    (checked(order=True), "True arrived"),
    (checked(expect="nonsense"), "the string 'nonsense' arrived. `torchref causes` lists them."),
    (checked(expect={"nonsense": "why"}), "expect may name sign-flipped"),
    (checked(expect={"missing-term": ""}), "expect must give a reason for each cause"),
    (checked(expect={"missing-term": 3}), "expect must give a reason for each cause"),
    (checked(expect=["missing-term"]), "expect must map the names of causes to reasons"),
    (checked(surrogate=3), "surrogate= takes a torch.autograd.Function"),
    (checked(surrogate="silu"), "surrogate= takes a torch.autograd.Function"),
    (checked(domain=3), "domain must be a predicate on all arguments"),
    (checked(domain={"nonsense": bool}), "domain may name input, but 'nonsense' arrived"),
    (checked(domain=lambda _: False), "the inputs must lie in the domain, but domain says False"),
    (checked(vary="nonsense"), "vary must be a collection of names, but the string"),
    (checked(vary=["nonsense"]), "vary may name options, values"),
    (checked(vary=3), "vary must be True, False or a collection of names, but 3"),
    (checked(tolerance=-1), "tolerance must be at least 0 and less than 1"),
    (checked(tolerance=1), "1 arrived. Write tolerance=1e-6"),
    (checked(tolerance="a"), "'a' arrived. Write tolerance=1e-6"),
    (checked(tolerance=NAN), "nan arrived. Write tolerance=1e-6"),
    (checked(precision="nonsense"), 'precision must be "native", "double" or None'),
    (checked(precision=""), "'' arrived. native is the dtype"),
    (checked(precision=torch.float32), "torch.float32 arrived. native is the dtype"),
    (checked(seconds=0), "seconds must be more than 0, as a number, but 0 arrived"),
    (checked(seconds=-1), "-1 arrived. Leave it out for no limit."),
    (checked(seconds="a"), "'a' arrived. Leave it out for no limit."),
    (checked(seconds=NAN), "nan arrived. Leave it out for no limit."),
    (checked(thorough="yes"), "thorough must be True or False, but 'yes' arrived"),
    (checked(isolate="yes"), "isolate must be True or False, but 'yes' arrived"),
    (checked(progress=3), "progress must be True, False or a function"),
]
OF_COMPARE = [
    (lambda: compare(None, None), "one of the manual gradients at least must not be None"),
    (lambda: compare({}, {}), "an empty dict arrived"),
    (lambda: compare([], []), "an empty list arrived"),
    (lambda: compare("a", "b"), "an object of type str arrived. Write compare("),
    (lambda: compare({"a": X}, {}), "the reference gradients must be at least one"),
    (lambda: compare({"a": X}, {"b": X}), "the name of a reference one, of b, but a arrived"),
    (lambda: compare([X], [X, X]), "1 and 2 arrived"),
    (lambda: compare({"a": "text"}, {"a": X}), "an object of type str arrived as a."),
    (lambda: compare({"a": CLASSES}, {"a": CLASSES}), "manual, a: a gradient must be floating"),
    (lambda: compare({"a": torch.nn.Parameter(X)}, {"a": X}), "a parameter. Pass its .grad."),
    (lambda: compare({"a": np.array(["a"])}, {"a": X}), "an array of dtype <U1 arrived"),
    (lambda: compare({"a": X.to("meta")}, {"a": X}), "one on the meta device arrived"),
    (lambda: compare(torch.nn.Linear(2, 2), {"a": X}), "none of the 2 parameters of Linear has"),
    (compared(tolerance=-1), "tolerance must be a relative distance of at least 0, but -1"),
    (compared(tolerance="a"), "tolerance must be a relative distance of at least 0, but 'a'"),
    (compared(tolerance=NAN), "nan arrived. Leave it out"),
    (compared(values=3), "values must be a mapping from names to tensors"),
    (compared(values={"batch": "a"}), "batch is a string"),
]
OF_EXPLAIN = [
    (lambda: explain(3, LOSS, X, T), "the network must be a module, but 3"),
    (lambda: explain(NETWORK, 3, X, T), "the loss must be a module, but 3"),
    (lambda: explain(torch.nn.Sequential(), LOSS, X, T), "begin with a linear layer"),
    (lambda: explain(NETWORK, LOSS, 3, T), "explain: x must be a tensor, but an int arrived"),
    (lambda: explain(NETWORK, LOSS, X, 3), "explain: target must be a tensor, but an int"),
    (lambda: explain(NETWORK, LOSS, MANY, T), "input has shape (4, 9) and weight (2, 3)"),
    (lambda: explain(NETWORK, LOSS, X, MANY), "they have (4, 2) and (4, 9)"),
    (explained("nonsense"), "one of linear1.weight, linear1.bias, but 'nonsense' arrived"),
    (explained(""), "one of linear1.weight, linear1.bias, but '' arrived"),
    (explained(3), "one of linear1.weight, linear1.bias, but 3 arrived"),
    (explained("linear1.weight", (9, 9)), "(9, 9) arrived. linear1.weight has shape (2, 3)"),
    (explained("linear1.weight", (0,)), "(0,) arrived"),
    (explained("linear1.weight", "a"), "('a',) arrived"),
    (explained(rate=0), "explain: rate must be a positive number, but 0 arrived"),
    (explained(rate=-1), "-1 arrived. 0.1 is a usual one."),
    (explained(rate=NAN), "nan arrived. 0.1 is a usual one."),
    (explained(rate="a"), "'a' arrived. 0.1 is a usual one."),
    (explained(example=9), "explain: example must lie in 0 … 3, but 9 arrived"),
    (explained(example=-1), "-1 arrived. It is a row of x."),
    (explained(example="a"), "a arrived. It is a row of x."),
    (explained(most_paths=-1), "explain: most_paths must be a whole number, 0 or more, but -1"),
    (explained(most_paths="a"), "'a' arrived. 8 fit."),
    (explained(notation=3), "explain: notation must be a Notation, but 3 arrived"),
]
OF_AUDIT = [
    (lambda: audit(memory=0), "memory must be a whole number of at least 1, but 0 arrived"),
    (lambda: audit(memory="a"), "'a' arrived. Leave it out for the default."),
    (lambda: audit(memory=1.5), "1.5 arrived"),
    (lambda: audit(calls=0), "calls must be a whole number of at least 1, but 0 arrived"),
    (lambda: audit(calls=True), "True arrived"),
    (lambda: audit(calls=None), "None arrived"),
    (reported(nonsense=3), "nonsense arrived. The inputs are those of the program"),
    (reported(expect={"a": ""}), "expect must give a reason for each Function, but '' arrived"),
    (reported(expect={"a": 3}), "expect must give a reason for each Function, but 3 arrived"),
    (reported(expect=3), "expect must go by the names of Functions, but 3 arrived"),
    (reported(references=3), "references must go by the names of Functions, but 3 arrived"),
]
OF_BACKPROP = [
    (lambda: sweep(3, LOSS, X, T), "the network must be a module of torchref.nn, but 3 arrived"),
    (lambda: sweep(NETWORK, 3, X, T), "the loss must be a module of torchref.nn, but 3 arrived"),
    (lambda: sweep(NETWORK, LOSS, 3, T), "backprop: x must be a tensor, but an int arrived"),
    (lambda: sweep(NETWORK, LOSS, X, None), "backprop: target must be a tensor, but it is None"),
    (lambda: sweep(NETWORK, LOSS, MANY, T), "input has shape (4, 9) and weight (2, 3)"),
    (lambda: sweep(NETWORK, LOSS, X, MANY), "they have (4, 2) and (4, 9)"),
    (lambda: sweep(torch.nn.Conv2d(1, 1, 1), LOSS, X, T), "the network is a torch.nn.modules.conv"),
    (lambda: sweep(NETWORK, torch.nn.MSELoss(), X, T), "a torch.nn.modules.loss.MSELoss arrived"),
    (lambda: sweep(NETWORK, LOSS, X.double(), T), "they have torch.float64 and torch.float32"),
    (lambda: Backprop(3, LOSS), "the network must be a module of torchref.nn, but 3 arrived"),
    (lambda: Backprop(NETWORK, 3), "the loss must be a module of torchref.nn, but 3 arrived"),
    (lambda: Backprop(NETWORK, LOSS)(3, T), "backprop: x must be a tensor, but an int arrived"),
]
OF_FUNCTIONAL = [
    (lambda: F.linear(3, X), "linear: input must be a tensor, but an int arrived"),
    (lambda: F.linear(X, MANY), "input has shape (4, 3) and weight (4, 9)"),
    (lambda: F.linear(X, T.T[:, :3], MANY[0]), "linear: bias must have shape (2,)"),
    (lambda: F.linear(X, X.double()), "they have torch.float32 and torch.float64"),
    (lambda: F.linear(CLASSES, X), "it is torch.int64. Convert it"),
    (lambda: F.relu("x"), "relu: input must be a tensor, but a str arrived"),
    (lambda: F.softmax(X, 9), "softmax: dim must be a dimension of input, but it is 9"),
    (lambda: F.log_softmax(X, -3), "log_softmax: dim must be a dimension of input, but it is -3"),
    (lambda: F.mse_loss(X, MANY), "they have (4, 3) and (4, 9)"),
    (lambda: F.mse_loss(X, X, reduction="nonsense"), "one of none, sum, mean, but 'nonsense'"),
    (lambda: F.mse_loss(X, X, reduction=""), "one of none, sum, mean, but '' arrived"),
    (lambda: F.binary_cross_entropy(3 * X, X), "all entries of input must lie in [0, 1], but"),
    (lambda: F.cross_entropy(X, CLASSES + 7), "class numbers must lie in [0, 2]"),
    (lambda: F.cross_entropy(X, CLASSES[:2]), "input has shape (4, 3) and target (2,)"),
    (lambda: F.cross_entropy(X, X, label_smoothing=2), "label_smoothing must lie in [0, 1], but"),
    (lambda: F.cross_entropy(X, CLASSES, weight=MANY[0]), "it has shape (9,) for 3 classes"),
    (lambda: F.layer_norm(X, (9,)), "it is (9,) and input has shape (4, 3)"),
    (lambda: F.layer_norm(X, (3,), eps=-1), "layer_norm: eps must not be negative, but -1"),
    (lambda: F.batch_norm(X, None, None), "batch_norm: running_mean must be given"),
    (lambda: F.conv2d(X, X), "conv2d: input must have 2 dimensions behind its channels"),
    (lambda: F.conv2d(IMAGE, KERNEL.expand(1, 2, 3, 3)), "it has shape (1, 2, 3, 3) for an input"),
    (lambda: F.conv2d(IMAGE, torch.ones(1, 1, 9, 9)), "must not reach further than the padded"),
    (lambda: F.conv2d(IMAGE, KERNEL, stride=0), "stride must be a whole number of at least 1"),
    (lambda: F.max_pool2d(IMAGE, 0), "kernel_size must be a whole number of at least 1"),
    (lambda: F.dropout(X, 2), "dropout: p must lie in [0, 1], but 2 arrived"),
    (lambda: F.dropout(X, -0.1), "-0.1 arrived. It is the chance of being left out"),
    (lambda: F.embedding(CLASSES + 7, X), "embedding: input must lie in [0, 3]"),
    (lambda: F.embedding(X, X), "embedding: input must hold integers, int64 or int32"),
    (lambda: F.scaled_dot_product_attention(X, MANY, X), "they have shapes (4, 3), (4, 9) and"),
    (lambda: F.gelu(X, approximate="nonsense"), "one of none, tanh, but 'nonsense' arrived"),
]
OF_NN = [
    (lambda: nn.SigmoidNetwork((3,)), "two or more positive whole numbers, inputs first, but (3,)"),
    (lambda: nn.SigmoidNetwork(()), "() arrived. Lecture 002's network is"),
    (lambda: nn.SigmoidNetwork((3, 0)), "(3, 0) arrived"),
    (lambda: nn.SigmoidNetwork("a"), "'a' arrived"),
    (lambda: nn.SigmoidNetwork(3), "3 arrived"),
    (lambda: nn.SquaredError("nonsense"), "half_sum, half_mean, but 'nonsense' arrived"),
    (lambda: nn.SquaredError(""), "'' arrived"),
    (lambda: nn.handwritten(3), "the model must be a torch.nn.Module, but an object of type int"),
    (lambda: nn.handwritten(torch.nn.Linear), "an object of type type arrived. Pass an instance"),
    (lambda: nn.by_torch(None), "an object of type NoneType arrived"),
]
OF_OTHERS = [
    (lambda: Settings(epochs=3, steps=3), "both arrived, 3 and 3. Leave one of them out."),
    (lambda: claims_of([]), "claims_of needs at least one case, but none arrived"),
    (lambda: claims_of(3), "claims_of takes a list of OpCase, one for each op, but 3 is among it"),
    (lambda: claims_of("kernels"), "'k' is among it"),
    (lambda: claims_of([torch.sigmoid]), "sigmoid"),
]
TABLE = {
    "crosscheck": OF_CROSSCHECK,
    "compare": OF_COMPARE,
    "explain": OF_EXPLAIN,
    "audit": OF_AUDIT,
    "backprop": OF_BACKPROP,
    "functional": OF_FUNCTIONAL,
    "nn": OF_NN,
    "others": OF_OTHERS,
}
ROWS = [
    pytest.param(call, said, id=f"{name}-{said[:50]}")
    for name, rows in TABLE.items()
    for call, said in rows
]


@pytest.mark.parametrize(("call", "said"), ROWS)
def test_it_is_one_message_of_three_parts(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        call()
    assert said in str(refused.value)
    invariant, arrived, fix = refused.value.args
    assert invariant.strip(" .") == invariant != ""  # a comma and the word "but" follow
    assert arrived.strip(" .") == arrived.rstrip("…") != ""
    assert fix.strip() == fix
    assert fix[-1] in ".?"


@pytest.mark.parametrize("name", ["audits", "Crosscheck", "_nonsense"])
def test_a_name_that_is_not_there_is_an_attribute_error(name: str) -> None:
    for module in (torchref, F, nn):
        with pytest.raises(AttributeError, match=f"{module.__name__}' has no attribute '{name}'"):
            getattr(module, name)


@pytest.mark.parametrize(
    "made",
    [checked(thorough=False), compared(), reported()],
    ids=["report", "comparison", "audit"],
)
def test_what_has_a_verdict_has_no_truth_value(made: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"which is neither\. Write"):
        bool(made())
