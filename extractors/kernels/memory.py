"""Raw memory for the kernels: loads and stores at any address, and calls by address.

A kernel is a C function ``found = kernel(plan, first, last, found)``. Everything it needs, buffers included, stands in
its row of the plan as 64-bit numbers, so that all kernels have one type, are compiled one by one and only when a layout
needs them, and the driver that calls them knows none by name. Nothing here checks bounds: buffers have `SLACK` bytes
before the first record and after the last.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as nb
from llvmlite import ir
from numba import types
from numba.core.cgutils import raw_memcpy
from numba.extending import intrinsic

SLACK = 16
"""Bytes that must be readable (or writable) beyond what a kernel is told of."""

_I64 = ir.IntType(64)
_SIGNATURE = types.int64(types.int64, types.int64, types.int64, types.int64)


@functools.cache
def _cache_folder() -> str | None:
    """Where compiled kernels are kept, if anywhere: beside the sources, as Python keeps what it compiles, or by the user.

    What was compiled beside sources that this user may not write to is copied, and so compiled by nobody again.
    """
    name = f"kernels-{_digest()}"
    beside = Path(__file__).parents[1] / "__pycache__" / name
    usual = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111  it does not raise where there is no home
    own = usual / "hikkoshi" / name
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        own = Path(given) / name
    elif _can_be_kept_in(beside):
        return str(beside)
    if _can_be_kept_in(own, like=None if given else beside):
        return str(own)
    logging.getLogger("hikkoshi").warning(
        "compiled kernels cannot be kept: %s cannot be written, so each start takes some seconds longer. "
        "Set NUMBA_CACHE_DIR to a folder that this user may write.",
        own,
    )
    return None


def _digest() -> str:
    """What the reader's sources are.

    Numba compiles a function again when its own file has changed. A kernel also holds constants of other files (the
    columns of the plan), so all of them decide.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _can_be_kept_in(folder: Path, *, like: Path | None = None) -> bool:
    """Make a folder, with what another holds where it is new; tell whether it may be written."""
    try:
        if like is not None and like.is_dir() and not folder.exists():
            _copy(like, folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a folder, whole or not at all, and not who may write them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        for file in source.rglob("*.nb[ci]"):
            copied = made / file.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)
        # Another process may have been first, and its folder is as good.
        with contextlib.suppress(OSError):
            made.rename(target)


def compiled(decorate: Callable[[bool], Any]) -> Any:
    """Apply a Numba decorator with its cache, or without one where no folder for it can be written.

    Decoding works without: the kernels are then compiled again by each process.
    """
    folder = _cache_folder()
    if folder is None:
        return decorate(False)
    before = nb.config.CACHE_DIR
    nb.config.CACHE_DIR = folder
    try:
        return decorate(True)
    finally:
        nb.config.CACHE_DIR = before


class Kernel:
    """A compiled function of the kernels' one type, compiled when its address is first asked for."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    @functools.cached_property
    def _compiled(self) -> Any:
        return compiled(lambda cache: nb.cfunc(_SIGNATURE, cache=cache, nopython=True)(self.function))

    @functools.cached_property
    def address(self) -> int:
        """Where its machine code stands."""
        return int(self._compiled.address)


def kernel(function: Callable[..., Any]) -> Kernel:
    """Make a kernel of a function ``(plan, first, last, found) -> found``."""
    return Kernel(function)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls; it releases the GIL."""
    return compiled(lambda cache: nb.njit(nogil=True, cache=cache)(function))


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only kernels call: without the wrappers for other callers, which take long to compile."""
    return nb.njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def _pointer(builder: Any, address: Any, bits: int) -> Any:
    return builder.inttoptr(address, ir.IntType(bits).as_pointer())


def _load(bits: int, *, swap: bool) -> Callable[[Any, Any, Any, Any], Any]:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_pointer(builder, args[0], bits), align=1)
        if swap:
            word = builder.bswap(word)
        return word if bits == 64 else builder.zext(word, _I64)

    return codegen


def _item(bits: int) -> Callable[[Any, Any, Any, Any], Any]:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.gep(_pointer(builder, args[0], bits), [args[1]]), align=1)

    return codegen


@intrinsic
def int64_of(typing_context: Any, address: Any, index: Any) -> Any:
    """Read an int64 of an array, so that the compiler sees one: a loop over it becomes a few vector instructions."""
    return types.int64(types.int64, types.int64), _item(64)


@intrinsic
def int32_of(typing_context: Any, address: Any, index: Any) -> Any:
    """The same of an int32."""
    return types.int32(types.int64, types.int64), _item(32)


@intrinsic
def be64(typing_context: Any, address: Any) -> Any:
    """Read eight bytes, the first the most significant, as uint64."""
    return types.uint64(types.int64), _load(64, swap=True)


@intrinsic
def be16(typing_context: Any, address: Any) -> Any:
    """Read two bytes, the first the more significant, as uint64."""
    return types.uint64(types.int64), _load(16, swap=True)


@intrinsic
def le32(typing_context: Any, address: Any) -> Any:
    """Read a uint32 of the machine's order (a table entry) as uint64."""
    return types.uint64(types.int64), _load(32, swap=False)


@intrinsic
def byte_at(typing_context: Any, address: Any) -> Any:
    """Read a byte as uint64."""
    return types.uint64(types.int64), _load(8, swap=False)


@intrinsic
def int_at(typing_context: Any, address: Any) -> Any:
    """Read an int64 of the machine's order."""
    return types.int64(types.int64), _load(64, swap=False)


def _store(bits: int) -> Callable[[Any, Any, Any, Any], Any]:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = args[1] if bits == 64 else builder.trunc(args[1], ir.IntType(bits))
        builder.store(word, _pointer(builder, args[0], bits), align=1)
        return context.get_dummy_value()

    return codegen


@intrinsic
def put64(typing_context: Any, address: Any, word: Any) -> Any:
    """Write eight bytes of the machine's order."""
    return types.void(types.int64, types.int64), _store(64)


@intrinsic
def put32(typing_context: Any, address: Any, word: Any) -> Any:
    """Write the low four bytes of a word, the least significant first."""
    return types.void(types.int64, types.int64), _store(32)


@intrinsic
def copy(typing_context: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy bytes from one address to another."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        raw_memcpy(builder, _pointer(builder, args[0], 8), _pointer(builder, args[1], 8), args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def prefetch(typing_context: Any, address: Any) -> Any:
    """Say that an address will soon be read; it need not be one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        builder.call(hint, [_pointer(builder, args[0], 8), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def call(typing_context: Any, address: Any, plan: Any, first: Any, last: Any, found: Any) -> Any:
    """Call a kernel by its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_I64, [_I64] * 4)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(*[types.int64] * 5), codegen
