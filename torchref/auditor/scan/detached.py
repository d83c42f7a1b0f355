"""What in a backward autograd does not see, so that a second derivative is wrong or fails."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchref.auditor.scan.flow.expressions import short
from torchref.auditor.scan.flow.tensor_calls import words
from torchref.auditor.scan.names import Definition, Sources
from torchref.auditor.scan.reading import Reading, function_node

DEEPEST = 6  # helpers of helpers
KERNELS = words(
    "triton.jit triton.experimental.gluon.jit triton.autotune triton.heuristics "
    "triton.runtime.jit.jit numba.cuda.jit numba.jit numba.njit cuda.jit"
)
LOADS = words(
    "torch.utils.cpp_extension.load torch.utils.cpp_extension.load_inline ctypes.CDLL "
    "ctypes.cdll.LoadLibrary cupy.RawKernel cupy.RawModule"
)
OWN_GRADIENT = frozenset(("torch.library.custom_op", "torch.library.triton_op"))


@dataclass(frozen=True)
class Cut:
    """The line of backward where the graph ends, and what ends it."""

    line: int
    what: str


def what_cuts_the_graph(backward: Definition, reading: Reading) -> Cut | None:
    """The first thing in a backward that autograd does not see, if the source shows one."""
    return next(_cuts(backward, reading.sources, _tensors_of(backward), ()), None)


def _cuts(
    part: Definition, sources: Sources, tensors: set[str], above: tuple[Definition, ...]
) -> Iterator[Cut]:
    yield from _without_grad(part, sources, is_helper=bool(above))
    for node in _own_nodes(function_node(part)):
        is_data = isinstance(node, ast.Attribute) and node.attr == "data"
        if is_data and isinstance(node, ast.Attribute) and _is_one_of(node.value, tensors):
            yield Cut(node.lineno, f"backward goes through {short(node)}")
        if not isinstance(node, ast.Call):
            continue
        what = _of_call(node, part, sources, tensors)
        if what is not None:
            yield Cut(node.lineno, what)
            continue
        helper = sources.resolve(node.func, part.inner)
        if _is_helper(helper, sources) and helper not in above and len(above) < DEEPEST:
            assert isinstance(helper, Definition)
            inner = next(_cuts(helper, sources, set(), (*above, part)), None)
            if inner is not None:
                what = inner.what.replace("backward ", "", 1)
                told = f"in {helper.path.name}:{inner.line}"
                what = what if " in " in what else f"{what} {told}"
                yield Cut(node.lineno, f"backward calls {short(node.func)}, which {what}")


def _of_call(node: ast.Call, part: Definition, sources: Sources, tensors: set[str]) -> str | None:
    function = node.func
    if isinstance(function, ast.Subscript):
        kernel = sources.resolve(function.value, part.inner)
        if isinstance(kernel, Definition) and _is_kernel(kernel, sources):
            return f"backward launches the kernel {short(function.value)}"
        return None
    found = sources.resolve(function, part.inner)
    if found == "cuda.tile.launch":
        return f"backward launches a kernel by {short(function)}"
    if found == "torch.autograd.grad" and not _keeps_graph(node):
        return "backward calls torch.autograd.grad without create_graph"
    if found == "torch.autograd.backward" and not _keeps_graph(node):
        return "backward calls torch.autograd.backward without create_graph"
    if (
        isinstance(found, Definition)
        and _is_kernel(found, sources)
        and "numba" in str(_decorators(found, sources))
    ):
        return f"backward calls {short(function)}, which numba compiles"
    if isinstance(function, ast.Attribute):
        if function.attr in ("detach", "numpy") and _is_one_of(function.value, tensors):
            return f"backward goes through {short(node)}"
        gets_ctx = any(isinstance(each, ast.Name) and each.id == "ctx" for each in node.args)
        is_sweep = function.attr == "backward" and found is None and not gets_ctx
        if is_sweep and not _keeps_graph(node):
            return f"backward calls {short(function)} without create_graph"
        loaded = _loaded(function.value, part, sources)
        if loaded is not None:
            return f"backward calls {short(function)}, compiled code that autograd does not record"
    return None


def _loaded(expr: ast.expr, part: Definition, sources: Sources) -> str | None:
    """What compiled a library, if the name is bound to one in this module."""
    if not isinstance(expr, ast.Name):
        return None
    for binding in part.scope.module.top.names.get(expr.id, ()):
        if isinstance(binding, ast.Call):
            found = sources.resolve(binding.func, part.scope.module.top)
            if isinstance(found, str) and found in LOADS:
                return found
    return None


def _without_grad(part: Definition, sources: Sources, *, is_helper: bool) -> Iterator[Cut]:
    node = function_node(part)
    for decorator in node.decorator_list:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        if sources.resolve(bare, part.scope) in ("torch.no_grad", "torch.inference_mode"):
            yield Cut(node.lineno, f"{node.name} runs under {short(bare)}")
    for inner in (
        () if is_helper else _own_nodes(node)
    ):  # a part of a helper may be beside the point
        if isinstance(inner, ast.With):
            for item in inner.items:
                call = item.context_expr
                if not isinstance(call, ast.Call) or not _gives(inner):
                    continue
                if sources.resolve(call.func, part.inner) in (
                    "torch.no_grad",
                    "torch.inference_mode",
                ):
                    yield Cut(inner.lineno, f"backward computes under {short(call)}")


def _gives(block: ast.With) -> bool:
    """Whether what is computed in a block is used after it."""
    return any(isinstance(each, ast.Return | ast.Assign) for each in block.body)


def _is_helper(found: Definition | str | None, sources: Sources) -> bool:
    if not isinstance(found, Definition) or isinstance(found.node, ast.ClassDef):
        return False
    return not OWN_GRADIENT & _decorators(found, sources)


def _is_kernel(found: Definition, sources: Sources) -> bool:
    return bool(KERNELS & _decorators(found, sources))


def _decorators(found: Definition, sources: Sources) -> set[str]:
    names = set()
    for decorator in found.node.decorator_list:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = sources.resolve(bare, found.scope)
        if isinstance(name, str):
            names.add(name)
    return names


def _keeps_graph(node: ast.Call) -> bool:
    """Whether a derivative taken inside is itself differentiable, or may be."""
    for keyword in node.keywords:
        if keyword.arg is None:
            return True
        if keyword.arg == "create_graph":
            value = keyword.value
            return not (isinstance(value, ast.Constant) and not value.value)
    return any(isinstance(each, ast.Starred) for each in node.args) or len(node.args) > 3


def _tensors_of(backward: Definition) -> set[str]:
    """The names of the gradients that backward receives, and of the saved tensors."""
    node = function_node(backward)
    names = {each.arg for each in node.args.args[1:]}
    if node.args.vararg is not None:
        names.add(node.args.vararg.arg)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and "saved_tensors" in ast.unparse(inner.value):
            for target in inner.targets:
                names |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
    return names


def _is_one_of(expr: ast.expr, tensors: set[str]) -> bool:
    """Whether an expression begins with one of the names: `grad_y`, `grad_y.t().cpu()`."""
    while isinstance(expr, ast.Attribute | ast.Call | ast.Subscript):
        expr = expr.func if isinstance(expr, ast.Call) else expr.value
    return isinstance(expr, ast.Name) and expr.id in tensors


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function's body in their order, without those of functions inside."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.FunctionDef) and child not in node.body:
            continue
        yield child
        yield from _own_nodes(child)
