"""What is checked and what it is held to, each as a function of a flat list of leaves."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.checker.execution.arithmetic import is_differentiable
from torchref.checker.execution.numbers import dtype_name
from torchref.errors import InputError
from torchref.ops import Op

Call = Callable[[tuple[Any, ...], dict[str, Any], dict[str, Tensor]], Any]
Holding = Callable[[dict[str, Tensor], Sequence[Any]], AbstractContextManager[None]]


@dataclass(frozen=True)
class Subject:
    """A candidate or a reference: a title, the names of its arguments, and how it is called.

    `function` is the Function class where the subject is one, `state` the parameters and
    `buffers` the buffers of a module; `call` takes arguments, keyword arguments and parameters.
    `tolerance` is the relative error that its outputs and gradients may have. `holding` gives a
    module parameters, and buffers in their dtype, while it lasts: its backward may run it again.
    `surrogate` is whose forward has its gradients, where its own has not, and `source` the callable
    that was given, where it is no Function and no module.
    """

    title: str
    names: tuple[str, ...] | None
    call: Call
    function: type[Function] | None = None
    state: Mapping[str, Tensor] = field(default_factory=dict)
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    tolerance: float = 0.0
    holding: Holding | None = None
    surrogate: "Subject | None" = None
    source: Callable[..., Any] | None = None

    def outputs(self, spec: pytree.TreeSpec, leaves: Sequence[Any]) -> tuple[Tensor, ...]:
        """All tensors that the call returns, in order, whatever structure holds them."""
        if _is_flat(spec):
            args, kwargs, parameters = tuple(leaves), {}, {}
        else:
            args, kwargs, parameters = pytree.tree_unflatten(list(leaves), spec)
        return _tensors(self.call(args, kwargs, parameters))

    def during_backward(
        self, spec: pytree.TreeSpec, leaves: Sequence[Any]
    ) -> AbstractContextManager[None]:
        """What must hold while a backward of these leaves runs."""
        if self.holding is None:
            return nullcontext()
        _, _, parameters = pytree.tree_unflatten(list(leaves), spec)
        return self.holding(parameters, leaves)

    def on_copies(self) -> "Subject":
        """The same on copies of what requires grad: none may write into a leaf of the tape.

        What is returned may be an input that was worked on in place; no other input may change.
        """

        def call(*given: Any) -> Any:
            leaves, spec = pytree.tree_flatten(given)
            copies = [x.clone() if _is_leaf_of_tape(x) else x for x in leaves]
            returned = self.call(*pytree.tree_unflatten(copies, spec))
            memory = {y.data_ptr() for y in pytree.tree_leaves(returned) if isinstance(y, Tensor)}
            for x, copy in zip(leaves, copies, strict=True):
                if copy is not x and copy._version > 0 and copy.data_ptr() not in memory:
                    raise RuntimeError("an input is changed in place, and another tensor returned")
            return returned

        return replace(self, call=call)


def require_parameters_of(subject: Subject, reference: Subject) -> None:
    """A reference that has parameters gets the values of the candidate's, by their names."""
    own = [name for name in reference.state if name not in subject.state]
    if subject.state and own:
        raise InputError(
            "the parameters of a reference must have the names of the candidate's, whose values "
            "they are given",
            f"{reference.title} has {', '.join(own)}, and {subject.title} "
            f"{', '.join(subject.state)}",
            "Call the layers alike in both, or pass a function that takes what it needs.",
        )


def with_gradient_of(surrogate: Subject, subject: Subject) -> Subject:
    """The outputs of a subject with the gradients, of every order, of a surrogate."""

    def call(*given: Any) -> Any:
        outputs = _tensors(subject.call(*given))
        soft = _tensors(surrogate.call(*given))
        if [y.shape for y in outputs] != [y.shape for y in soft]:
            raise InputError(
                "the surrogate must return tensors of the shapes that the candidate returns",
                f"{[tuple(y.shape) for y in soft]} arrived in place of "
                f"{[tuple(y.shape) for y in outputs]}",
                "Write one that takes the same arguments, smooth where the forward is not.",
            )
        return tuple(_with_gradient(y, s) for y, s in zip(outputs, soft, strict=True))

    title = f"{subject.title} with the gradient of {surrogate.title}"
    return replace(surrogate, title=title, call=call, surrogate=surrogate)


def _with_gradient(y: Tensor, s: Tensor) -> Tensor:
    """One output with the gradient of the surrogate's, if it has one."""
    if not is_differentiable(y) and not is_differentiable(s):
        return y
    if not is_differentiable(s) or (s.is_complex() and not y.is_complex()):
        raise InputError(
            "the surrogate must return floating-point tensors, or complex ones where the candidate "
            "does: they alone have its gradient",
            f"{dtype_name(s.dtype)} arrived beside {dtype_name(y.dtype)}",
            "Write one that takes the same arguments, smooth where the forward is not.",
        )
    return s + (y - s).detach()


def _tensors(returned: Any) -> tuple[Tensor, ...]:
    """All tensors that a call returns, in order, whatever structure holds them."""
    if isinstance(returned, Tensor):
        return (returned,)
    return tuple(y for y in pytree.tree_leaves(returned) if isinstance(y, Tensor))


def _is_leaf_of_tape(x: Any) -> bool:
    return isinstance(x, Tensor) and x.is_leaf and x.requires_grad


def _is_flat(spec: pytree.TreeSpec) -> bool:
    """Whether the leaves are the arguments themselves: rebuilding outlasts a small forward."""
    args = spec.children()[0]
    return spec.num_leaves == args.num_children and all(each.is_leaf() for each in args.children())


def as_subject(candidate: Any, taker: str = "crosscheck") -> Subject:
    """A Function, its `.apply`, a Module or any callable, as a subject; `taker` is who takes it."""
    owner = getattr(candidate, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, Function):
        candidate = owner
    if isinstance(candidate, type) and issubclass(candidate, Function):
        return _function_subject(candidate)
    if isinstance(candidate, torch.nn.Module):
        return _module_subject(candidate)
    if isinstance(candidate, Function):
        name = type(candidate).__name__
        raise InputError(
            f"{taker} takes the class of a torch.autograd.Function",
            f"an instance of {name} arrived",
            f"Pass {name} itself: its methods are static, and it is never instantiated.",
        )
    if isinstance(candidate, type) or not callable(candidate):
        what = f"the class {candidate.__name__}" if isinstance(candidate, type) else "an object"
        raise InputError(
            f"{taker} takes a torch.autograd.Function, its .apply, a Module or a function",
            f"{what} of type {type(candidate).__name__} arrived",
            "Pass an instance of a Module, or the function itself without calling it.",
        )
    return _callable_subject(candidate)


def _function_subject(function: type[Function]) -> Subject:
    apply = function.call if issubclass(function, Op) else function.apply
    names = function_argument_names(function)
    defaults = defaults_of(function.forward)

    def call(args: tuple[Any, ...], kwargs: dict[str, Any], _: dict[str, Tensor]) -> Any:
        # Only recent versions of `apply` take keywords, so each finds its place by name.
        places = list(args)
        for name, value in kwargs.items():
            if names is None or name not in names[len(args) :]:
                raise InputError(
                    f"{function.__name__}: kwargs must name arguments of forward",
                    f"{name!r} arrived, and the names left are {names and names[len(args) :]}",
                    "Pass it among the inputs, in its place.",
                )
            between = names[len(places) : names.index(name) + 1]
            places += [defaults.get(each) for each in between]
            places[names.index(name)] = value
        # What is left at its default is left out: a backward may return no gradient for it.
        while names and len(places) > len(args):
            if not _is_same(places[-1], defaults.get(names[len(places) - 1], apply)):
                break
            places.pop()
        return apply(*places)

    return Subject(function.__name__, names, call, function=function)


def _is_same(value: Any, default: Any) -> bool:
    """Numbers and words by what they are: those sent to another process are no longer identical."""
    if isinstance(value, int | float | complex | str):
        return type(value) is type(default) and value == default
    return value is default


def _module_subject(module: torch.nn.Module) -> Subject:
    @contextmanager
    def holding(parameters: dict[str, Tensor], leaves: Sequence[Any]) -> Iterator[None]:
        floats = (x for x in (*parameters.values(), *leaves) if isinstance(x, Tensor))
        dtype = next((x.dtype for x in floats if x.is_floating_point()), None)
        # The buffers are copied for each call: batch norm must not remember the last one.
        own = {
            name: x.detach().to(dtype if dtype and x.is_floating_point() else x.dtype, copy=True)
            for name, x in (*module.named_buffers(), *module.named_parameters())
            if name not in parameters
        }
        with _swapped(module, {**parameters, **own}):
            yield

    def call(args: tuple[Any, ...], kwargs: dict[str, Any], parameters: dict[str, Tensor]) -> Any:
        with holding(parameters, pytree.tree_leaves((args, kwargs))):
            return module(*args, **kwargs)

    return Subject(
        type(module).__name__,
        parameter_names(module.forward),
        call,
        state={name: parameter.detach() for name, parameter in module.named_parameters()},
        buffers=dict(module.named_buffers()),
        holding=holding,
    )


@contextmanager
def _swapped(module: torch.nn.Module, values: Mapping[str, Tensor]) -> Iterator[None]:
    """While it lasts, parameters and buffers are other tensors, under all of their names."""
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    new = {id(named[name]): value for name, value in values.items() if name in named}
    before: list[tuple[dict[str, Any], str, Any]] = []
    for each in module.modules():
        tables: tuple[dict[str, Any], ...] = (each._parameters, each._buffers)
        for held in tables:
            for name, value in held.items():
                if id(value) in new:
                    before.append((held, name, value))
    try:
        for held, name, value in before:
            held[name] = new[id(value)]
        yield
    finally:
        for held, name, value in before:
            held[name] = value


def _callable_subject(function: Callable[..., Any]) -> Subject:
    def call(args: tuple[Any, ...], kwargs: dict[str, Any], _: dict[str, Tensor]) -> Any:
        return function(*args, **kwargs)

    named = getattr(function, "__name__", None) or getattr(function, "_name", None)  # custom_op
    title = named if isinstance(named, str) else type(function).__name__
    return Subject(title, parameter_names(function), call, source=function)


def function_argument_names(function: type[Function]) -> tuple[str, ...] | None:
    """The names of what `apply` takes; ctx, which comes first without setup_context, is not."""
    old_style = function.setup_context is Function.setup_context
    return parameter_names(function.forward, skip=1 if old_style else 0)


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """By name, of the parameters that have some."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # builtins show no signature
        return {}
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def argument_name(place: int, names: tuple[str, ...] | None) -> str:
    """The name of the argument at a place, `args[2]` for one of *args."""
    if not names:
        return f"input{place}"
    if names[-1].endswith("*") and place >= len(names) - 1:
        return f"{names[-1][:-1]}[{place - len(names) + 1}]"
    return names[place] if place < len(names) else f"input{place}"


def parameter_names(function: Callable[..., Any], skip: int = 0) -> tuple[str, ...] | None:
    """Names of the positional parameters; one of *args stands as `name*`; None if unknown."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):  # builtins show no signature
        return None
    names = []
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            names.append(f"{parameter.name}*")
    return tuple(names)
