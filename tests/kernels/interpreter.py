"""Triton kernels on CPU tensors, run by Triton's own interpreter; on a CUDA device, compiled.

Import this before any kernel: what a kernel package looks up at import is prepared here. The
interpreter keeps bfloat16 as integers and computes with those, hands a float argument over as a
Python number, has no mathematical library of the device, and cannot time what is to be tuned.
"""

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read where triton is imported

INSTALL = "pip install -c constraints.txt -c constraints-kernels.txt -e '.[dev,kernels]'"
triton = pytest.importorskip("triton", reason=f"Triton is not installed: {INSTALL}")
import triton.language as tl  # noqa: E402 - after the skip
from triton.language.extra import libdevice  # noqa: E402 - after the skip
from triton.runtime import interpreter  # noqa: E402 - after the skip
from triton.runtime.autotuner import Autotuner  # noqa: E402 - after the skip

Handle = interpreter.TensorHandle
Builder = interpreter.InterpreterBuilder


def adapt() -> None:
    """Mend the interpreter: once, before the kernels are imported."""
    _hold_bfloat16_as_rounded_float32()
    _refuse_to_sum_float64_in_float32()
    _make_tensors_of_float_arguments()
    _supply_the_library_of_the_device()
    _take_the_first_configuration()
    _enter_the_language_once()


def _hold_bfloat16_as_rounded_float32() -> None:
    """In memory it has 16 bits; in a kernel it is a float32, rounded as soon as it is made."""
    made, fits = Handle.__post_init__, interpreter._validate_np_data_size
    numpy_dtype, view = functools.cache(interpreter._get_np_dtype), Builder.create_bitcast
    read, write = Builder.create_masked_load, Builder.create_masked_store
    absolute, add_atomically = Builder.create_fabs, Builder.create_atomic_rmw

    def dtype_of(dtype: Any) -> Any:
        if dtype.scalar.is_ptr():
            return np.dtype(np.uint64)
        return np.dtype(np.float32) if _is_bfloat16(dtype) else numpy_dtype(dtype.scalar)

    def rounded(handle: Any) -> None:
        if _is_bfloat16(handle.dtype) and np.issubdtype(np.asarray(handle.data).dtype, np.floating):
            handle.data = _numbers(_bits(handle.data))
        made(handle)

    def load(builder: Any, pointers: Any, mask: Any, other: Any, *rest: Any) -> Any:
        if not _is_bfloat16(pointers.get_element_ty()):
            return read(builder, pointers, mask, other, *rest)
        beside = np.zeros_like(pointers.data, np.float32) if other is None else other.data
        bits = interpreter._interpreter.load(
            pointers.data, mask.data, _bits(beside), np.dtype(np.uint16)
        )
        return Handle(_numbers(bits), tl.bfloat16)

    def store(builder: Any, pointers: Any, value: Any, mask: Any, *rest: Any) -> Any:
        if _is_bfloat16(pointers.get_element_ty()):
            value = Handle(_bits(value.data), tl.uint16)
        return write(builder, pointers, value, mask, *rest)

    def through_float32(old: Callable[..., Any]) -> Callable[..., Any]:
        def new(builder: Any, source: Any, target: Any, *rest: Any) -> Any:
            if _is_bfloat16(target):
                return Handle(source.data.astype(np.float32), tl.bfloat16)
            if _is_bfloat16(source.dtype):
                source = Handle(source.data, tl.float32)
                if target.scalar == tl.float32:
                    return source
            return old(builder, source, target, *rest)

        return new

    def bitcast(builder: Any, source: Any, target: Any) -> Any:
        if _is_bfloat16(source.dtype):
            source = Handle(_bits(source.data), tl.uint16)
        if _is_bfloat16(target):
            return Handle(_numbers(source.data.view(np.uint16)), tl.bfloat16)
        return view(builder, source, target)

    def add(builder: Any, how: Any, pointers: Any, value: Any, mask: Any, *rest: Any) -> Any:
        if not _is_bfloat16(value.dtype):
            return add_atomically(builder, how, pointers, value, mask, *rest)
        if how != interpreter._ir.ATOMIC_OP.FADD:
            # Of a kernel that needs another, a wrong number would be held against the checker.
            raise TypeError(f"an atomic operation on bfloat16 must be an addition, not {how}")
        before = np.zeros(value.data.shape, np.float32)
        for i in np.ndindex(value.data.shape):  # one after the other: pointers may be the same
            here, on = Handle(pointers.data[i][None], pointers.dtype), mask.data[i][None]
            old = load(builder, here, Handle(on, tl.int1), None)
            before[i] = old.data.item()
            new = Handle(old.data + value.data[i], tl.bfloat16)
            store(builder, here, new, Handle(on, tl.int1), None)
        return Handle(before, tl.bfloat16)

    def fabs(builder: Any, x: Any) -> Any:
        return Handle(np.abs(x.data), x.dtype) if _is_bfloat16(x.dtype) else absolute(builder, x)

    Handle.__post_init__ = rounded
    interpreter._validate_np_data_size = lambda data, dtype: (
        _is_bfloat16(dtype) or fits(data, dtype)
    )
    interpreter._get_np_dtype = dtype_of
    Builder.create_masked_load, Builder.create_masked_store = load, store
    Builder.cast_impl = through_float32(Builder.cast_impl)
    Builder.create_fp_to_fp = through_float32(Builder.create_fp_to_fp)
    Builder.create_bitcast, Builder.create_fabs, Builder.create_atomic_rmw = bitcast, fabs, add


def _is_bfloat16(dtype: Any) -> bool:
    return dtype.scalar.name == "bf16"  # a comparison of dtypes takes longer


def _bits(numbers: Any) -> Any:
    """Of the nearest bfloat16, ties to even."""
    wide = np.ascontiguousarray(numbers, np.float32).view(np.uint32).reshape(np.shape(numbers))
    nearest = (wide.astype(np.uint64) + 0x7FFF + ((wide >> 16) & 1)) >> 16
    return np.where(np.isnan(numbers), np.uint16(0x7FC0), nearest.astype(np.uint16))


def _numbers(bits: Any) -> Any:
    return (np.asarray(bits).astype(np.uint32) << 16).view(np.float32)


def _refuse_to_sum_float64_in_float32() -> None:
    """As the compiler does; here the bytes of float32 would be stored as float64."""
    multiply = Builder.create_dot

    def dot(builder: Any, a: Any, b: Any, total: Any, *rest: Any) -> Any:
        if tl.float64 in (a.dtype.scalar, b.dtype.scalar) and total.data.dtype != np.float64:
            raise TypeError("a dot of float64 needs a float64 sum")
        return multiply(builder, a, b, total, *rest)

    Builder.create_dot = dot


def _make_tensors_of_float_arguments() -> None:
    """As compiled kernels have them: a float32 that can be cast."""
    convert = interpreter._implicit_cvt

    def new(argument: Any) -> Any:
        if isinstance(argument, float):
            return tl.tensor(Handle(np.array([argument], np.float32), tl.float32), tl.float32)
        return convert(argument)

    interpreter._implicit_cvt = new


def _supply_the_library_of_the_device() -> None:
    """What stands for it returns None without a word."""
    functions: dict[str, Callable[..., Any]] = {
        "erf": np.vectorize(math.erf, otypes=[np.float32]),
        "exp": np.exp,
        "exp2": np.exp2,
        "expm1": np.expm1,
        "fast_expf": np.exp,
        "fast_logf": np.log,
        "fast_tanhf": np.tanh,
        "log": np.log,
        "log1p": np.log1p,
        "log2": np.log2,
        "rsqrt": lambda x: np.float32(1) / np.sqrt(x),
        "sqrt": np.sqrt,
        "tanh": np.tanh,
    }
    for name, function in functions.items():
        setattr(libdevice, name, _elementwise(function))


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, **_: Any) -> Any:
        return tl.tensor(interpreter.interpreter_builder.unary_op(x.handle, function), x.type)

    return apply


def _take_the_first_configuration() -> None:
    made = Autotuner.__init__

    def untuned(
        tuner: Any, fn: Any, names: Any, configs: Sequence[Any], *rest: Any, **kw: Any
    ) -> None:
        made(tuner, fn, names, configs[:1], *rest, **kw)

    Autotuner.__init__ = untuned


def _enter_the_language_once() -> None:
    """The language is patched for each launch and each call of a device function, and put back.

    In a process that compiles nothing it can stay as it is: most of the time went there.
    """
    patch, entered = interpreter._patch_lang, set()

    def enter(function: Any) -> Any:
        modules = {id(x) for x in function.__globals__.values() if x is tl or x is tl.core}
        if not modules <= entered:
            patch(function)
            entered.update(modules)
        return interpreter._LangPatchScope()

    interpreter._patch_lang = enter


if DEVICE == "cpu":
    adapt()
