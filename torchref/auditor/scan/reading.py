"""A Function read: forward, setup_context and backward followed, and what may be concluded."""

import ast
from dataclasses import dataclass
from functools import cached_property

from torchref.auditor.scan.flow.function import follow
from torchref.auditor.scan.flow.record import Record
from torchref.auditor.scan.flow.tensor_calls import words
from torchref.auditor.scan.flow.value import UNKNOWN, Value, Values, one, only, tuple_of
from torchref.auditor.scan.names import AnyFunction, Definition, Sources
from torchref.auditor.scan.rules import Rule

NUMBERS = words("int float bool str complex dtype device Size Callable dict")
# What only a tensor has: a number or an array that is handed over has none of these.
OF_TENSORS = words(
    "requires_grad is_cuda detach contiguous numel unsqueeze data_ptr new_empty new_zeros stride "
    "is_contiguous requires_grad_ grad_fn permute expand_as"
)


@dataclass(eq=False)
class Reading:
    """What the source of a rule shows, worked out when it is asked for."""

    rule: Rule
    sources: Sources

    @cached_property
    def forward(self) -> Record | None:
        """What forward keeps, writes and returns."""
        if self.rule.forward is None:
            return None
        old = self.rule.style == "forward(ctx, ...)"
        return self._follow(self.rule.forward, self._inputs(), self._first(self.rule.forward, old))

    @cached_property
    def setup_context(self) -> Record | None:
        """What setup_context keeps, or forward where there is none."""
        setup = self.rule.setup_context
        if setup is None:
            return self.forward if self.rule.style == "forward(ctx, ...)" else None
        given = [each.arg for each in function_node(setup).args.args]
        if len(given) < 3 or self.rule.takes_any_number:
            return None
        inputs = tuple_of(list(self._inputs().values()))
        output = one(Value("output", "the output", (id(setup),), is_tensor=True))
        names = {given[1]: inputs, given[2]: output}
        return self._follow(setup, names, given[0])

    @cached_property
    def backward(self) -> Record | None:
        """What backward writes and returns."""
        backward = self.rule.backward
        if backward is None:
            return None
        ctx, *grads = [each.arg for each in function_node(backward).args.args] or [""]
        names = {
            name: one(Value("grad", name, (id(backward), at), is_tensor=True))
            for at, name in enumerate(grads)
        }
        return self._follow(backward, names, ctx)

    @cached_property
    def gradients(self) -> tuple[tuple[ast.Return, tuple[Values, ...] | None], ...]:
        """Each return of backward with its gradients; None where it does not show how many."""
        if self.backward is None:
            return ()
        return tuple((node, _elements(values)) for node, values in self.backward.returned)

    @cached_property
    def differentiable(self) -> frozenset[str] | None:
        """The inputs for which backward has a gradient other than None; None if unknown."""
        if self.rule.takes_any_number or not self.gradients:
            return None
        names: set[str] = set()
        for _, elements in self.gradients:
            if elements is None:
                return None
            for name, values in zip(self.rule.inputs, elements, strict=False):
                if any(value.kind != "none" for value in values):
                    names.add(name)
        return frozenset(names)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The inputs that are no tensors, by their annotation or their default."""
        found = set()
        for each in self.rule.arguments:
            named = set(_words(each.annotation))
            default = each.default not in (None, "None")
            if (named & NUMBERS and "Tensor" not in named) or (default and not named):
                found.add(each.name)
        return frozenset(found)

    @cached_property
    def tensors(self) -> frozenset[str]:
        """The inputs that are tensors, for all that the source shows."""
        found = set(self.differentiable or ())
        for each in self.rule.arguments:
            if "Tensor" in _words(each.annotation):
                found.add(each.name)
        body = self.rule.forward.node.body if self.rule.forward else []
        nodes = [node for statement in body for node in ast.walk(statement)]
        named = [
            node.value.id
            for node in nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in OF_TENSORS
        ]
        # A name that forward gives to something else says nothing of the input.
        bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        found |= set(named) - bound
        return (frozenset(found) & set(self.rule.inputs)) - self.numbers

    def may_have_gradient(self, names: set[str]) -> bool:
        """Whether one of the inputs is differentiated, for all that the source shows."""
        inputs = set(self.rule.inputs) - self.numbers
        if "the output" in names:
            return True
        known = self.differentiable
        return bool(names & (inputs if known is None else set(known)))

    def _inputs(self) -> dict[str, Values]:
        # Only what is known to be differentiated counts, and backward does not ask for tensors.
        return {
            name: one(Value("input", name, (0, at), is_tensor=name in self.tensors))
            if not name.startswith("*")
            else UNKNOWN
            for at, name in enumerate(self.rule.inputs)
        }

    def _first(self, definition: Definition, takes_ctx: bool) -> str | None:
        arguments = function_node(definition).args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        return names[0] if takes_ctx and names else None

    def _follow(self, part: Definition, names: dict[str, Values], ctx: str | None) -> Record:
        return follow(part, names, ctx, self.sources)


def function_node(definition: Definition) -> AnyFunction:
    """The node of what is known to be a function."""
    assert not isinstance(definition.node, ast.ClassDef)
    return definition.node


def _words(annotation: str | None) -> list[str]:
    text = annotation or ""
    return "".join(each if each.isidentifier() or each.isdigit() else " " for each in text).split()


def _elements(values: Values) -> tuple[Values, ...] | None:
    value = only(values)
    if value is None:
        return None
    if value.kind == "tuple":
        return value.items
    return (values,) if value.kind in ("none", "grad") or _is_one_tensor(value) else None


def _is_one_tensor(value: Value) -> bool:
    return value.kind in ("made", "perhaps itself") and value.is_tensor
