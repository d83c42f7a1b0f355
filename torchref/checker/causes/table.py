"""The table of causes: a row says what a cause means, what to look at, and how it is recognised.

A cause without a mark in the numbers is found by a probe of behaviour, or told by an oracle.
"""

from torchref.checker.causes.cause import Cause
from torchref.checker.causes.factor import (
    all_zero,
    fewer_digits,
    negated,
    not_finite,
    one_factor,
)
from torchref.checker.causes.factor_by_slice import (
    factor_of_each_slice,
    size_of_parts,
)
from torchref.checker.causes.local_derivative import function_of_a_value, lost_mask
from torchref.checker.causes.permutation import (
    conjugated,
    flipped,
    of_another_argument,
    parts_exchanged,
    permuted,
    rolled,
    shuffled,
    slices_reordered,
)
from torchref.checker.causes.questions import (
    argument_conjugated,
    argument_elsewhere,
    argument_flipped,
    argument_transposed,
    every_other_slice_of_grad_output,
    grad_output_flipped,
    grad_output_moved,
    inputs_cast,
    one_slice_of_grad_output,
    slope_at_the_output,
)
from torchref.checker.causes.subset import some_entries
from torchref.checker.causes.term import sum_or_projection, term_in_sight

CAUSES: dict[str, Cause] = {
    "sign-flipped": Cause(
        "the gradient is the negative of the true one",
        "Look for y − x where x − y is meant, or for a minus sign lost in the chain.",
        predicts=(conjugated, negated),
        asks=(argument_conjugated,),
    ),
    "constant-factor": Cause(
        "every entry, or every one of a slice, is the true one times the same number",
        "Look at the constants of the derivative: a 2 from a square, a ½, a mean's 1/N, a scale.",
        fits=((1, one_factor), (2, size_of_parts)),
        vague=(factor_of_each_slice,),
    ),
    "missing-local-derivative": Cause(
        "the local derivative of one step is missing, doubled, or taken at the wrong place",
        "Look at the factor named in the evidence: is it there, once, and at the right value?",
        fits=((2, lost_mask), (4, function_of_a_value)),
        asks=(argument_elsewhere, slope_at_the_output),
    ),
    "transposed": Cause(
        "a matrix enters transposed, or what should be turned or flipped is not",
        "Check each matrix product of backward with sizes that all differ, and each flip.",
        predicts=(permuted, flipped),
        asks=(argument_transposed,),
        asks_of_few=(argument_flipped, grad_output_flipped),
    ),
    "swapped-arguments": Cause(
        "the gradients of two arguments, or of two parts of one, stand in each other's place",
        "Compare the order of what backward returns, or joins, with that of forward.",
        predicts=(of_another_argument,),
        fits=((1, parts_exchanged),),
    ),
    "ignores-grad-output": Cause(
        "the result does not depend on grad_output, or on one entry of it alone",
        "Multiply by grad_output, entry by entry: `loss.sum()` alone hides that it is missing.",
    ),
    "not-linear-in-grad-output": Cause(
        "backward of 2·grad_output is not twice the backward of grad_output",
        "A backward is linear: look for a square, an abs, a clamp or a constant added to it.",
    ),
    "missing-reduction": Cause(
        "what was broadcast in forward is not summed in backward",
        "Sum over the broadcast dimensions; autograd repairs the shape silently, others do not.",
        asks=(one_slice_of_grad_output,),
        asks_of_few=(every_other_slice_of_grad_output,),
    ),
    "missing-gradient": Cause(
        "no gradient, or zeros, where there is one",
        "Return a gradient in this argument's place, or leave it out of wrt= if it has none.",
        fits=((0, all_zero),),
    ),
    "missing-term": Cause(
        "part of the sum that makes the gradient is absent or wrong",
        "Write down every path from this argument to the output: each adds one term.",
        vague=(term_in_sight, sum_or_projection),
    ),
    "wrong-shape": Cause(
        "backward returned a gradient whose shape is not the argument's",
        "Return a gradient of exactly the shape of the argument.",
    ),
    "wrong-dtype": Cause(
        "backward returned a gradient whose dtype or device is not the argument's",
        "Look for a cast, or for a constant tensor made in another dtype or on another device.",
    ),
    "wrong-elements": Cause(
        "some entries of the gradient are wrong, or stand in the wrong places",
        "Look at how backward treats the entries that the evidence describes.",
        fits=((1, slices_reordered), (2, rolled), (3, some_entries)),
        vague=(shuffled,),
        asks_of_few=(grad_output_moved,),
    ),
    "not-finite": Cause(
        "NaN or infinity where the true gradient is finite",
        "Look for a division by zero, a logarithm of zero or an exponential that overflows.",
        fits=((0, not_finite),),
    ),
    "layout-dependent": Cause(
        "the result depends on strides: on how the same values lie in memory",
        "Use reshape rather than view, and call .contiguous() before a kernel walks the memory.",
    ),
    "mutates-grad-output": Cause(
        "backward writes into grad_output, which others still read",
        "Replace the in-place operation on grad_output by one out of place.",
    ),
    "mutates-input": Cause(
        "forward or backward writes into an input",
        "Replace the in-place operation on the input by one out of place.",
    ),
    "mutates-saved": Cause(
        "backward writes into what forward saved or returned, which others still read",
        "Replace the in-place operation on the saved tensor by one out of place.",
    ),
    "aliased-buffer": Cause(
        "a gradient handed out earlier changes later: the same memory is handed out twice",
        "Allocate the gradient anew in each backward.",
    ),
    "stale-state": Cause(
        "backward uses values of another call's forward",
        "Keep what backward needs on ctx, not on the class, the module or a global.",
    ),
    "accumulates": Cause(
        "a second backward returns the first result added to its own",
        "Do not add into a buffer that outlives the call: autograd accumulates by itself.",
    ),
    "depends-on-requires-grad": Cause(
        "a gradient changes with which other inputs require grad",
        "Test ctx.needs_input_grad of each input for its own gradient only.",
    ),
    "uninitialised-memory": Cause(
        "the gradient holds memory that was never written",
        "Start from zeros instead of empty, or write every entry.",
    ),
    "nondeterministic": Cause(
        "the same backward gives different results",
        "Look for a race, an atomic addition, or random numbers drawn in backward.",
    ),
    "precision-loss": Cause(
        "the gradient carries fewer digits than its dtype",
        "Look for a cast to a lower precision or a sum kept in one; of a solver, give tolerance=.",
        fits=((0, fewer_digits),),
        asks=(inputs_cast,),
    ),
    "second-order-wrong": Cause(
        "differentiated twice, the result is silently wrong",
        "Save inputs and outputs, no intermediate; or refuse: @once_differentiable over backward.",
    ),
    "forward-mode-wrong": Cause(
        "the forward-mode rule disagrees with the backward",
        "Check jvp against backward: ⟨grad_y, jvp(dx)⟩ must equal ⟨backward(grad_y), dx⟩.",
    ),
    "vmap-wrong": Cause(
        "under vmap, or through it, the result differs from a loop",
        "Look at dimensions counted from the front, at out_dims, at the sum over what is shared.",
    ),
    "straight-through": Cause(
        "the forward moves in steps, where its gradient is 0, and backward passes another",
        "If that is meant, say whose gradient it is: surrogate=lambda x: x passes it as it comes.",
    ),
    "forward-wrong": Cause(
        "the forward differs from the reference; the backward is judged by the forward itself",
        "Compare the two formulas of the forward first.",
    ),
    "forward-noisy": Cause(
        "the forward has fewer digits than its dtype, or draws random numbers",
        "Look for a cast, or random numbers drawn, in the forward; of a solver, give tolerance=.",
    ),
    "reference-wrong": Cause(
        "the reference's own gradient disagrees with differences of its forward",
        "Trust the differences of the forward here, and not the reference.",
    ),
    "raises": Cause(
        "an error is raised where there should be a result",
        "Read the error in the evidence.",
    ),
}
