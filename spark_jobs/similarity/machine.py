"""What the compiled code of this package asks of the compiler and the processor."""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["compiled", "population_count"]

compiled = numba.njit(cache=True, nogil=True)


def _population_count(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> ir.Value:
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(ir.IntType(64), [ir.IntType(64)]), "llvm.ctpop.i64"
        )
        return builder.call(function, arguments)

    return types.int64(types.uint64), codegen


population_count: Any = intrinsic(_population_count)
"""The number of 1 bits of a uint64, by the processor's own instruction."""
