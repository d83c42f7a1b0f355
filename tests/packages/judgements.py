"""Functions that the audit accuses or doubts alone, and a reading of their sources finds right.

Each was read in the package, and its gradient derived or differentiated independently.
"""

from dataclasses import dataclass

SENSES = {
    "symmetric": "the gradient for a matrix that is symmetric, as the caller's always is",
    "tangent space": "the gradient for moving a group element from the left, padded by zero to the "
    "element's entries; the exponential takes it back to an ordinary gradient",
    "weights of a module": "weights reach the forward through a module, and have theirs right",
    "the caller's part": "the caller does its part of the chain rule, and gives no other arguments",
    "precision": "right to the precision in which it computes, which differences do not reach",
    "not in reach": "the audit cannot try it, and the call as a whole is right",
    "on average": "an estimator: the mean over its random numbers is the gradient of the mean",
}


@dataclass(frozen=True)
class Judgement:
    """`sense` is one of SENSES."""

    sense: str
    gradient: str
    confirmed: str

    def __str__(self) -> str:
        return f"{self.sense}: {self.gradient}; {self.confirmed}"


BY_DIFFERENCES = "differences of the whole call in float64 agree to 1e-9"


def _tangent(gradient: str, confirmed: str = BY_DIFFERENCES) -> Judgement:
    return Judgement("tangent space", gradient, confirmed)


def _symmetric(gradient: str, confirmed: str = BY_DIFFERENCES) -> Judgement:
    return Judgement("symmetric", gradient, confirmed)


def _callers(gradient: str, confirmed: str = BY_DIFFERENCES) -> Judgement:
    return Judgement("the caller's part", gradient, confirmed)


_ACT = "grad_output times the derivative of exp(δ) X p at δ = 0, and times the matrix of X for p"
_ACT4 = "that of the action, with the translation times the fourth entry"
_ADJOINT = "minus grad_output times ad of the output for X, and times Ad(X) for a"
_PRODUCT = "grad_output for X, and grad_output times Ad(X) for Y: log(exp(δ) X Y) and (X exp(δ) Y)"
_INVERSE = "minus grad_output times Ad of the inverse"
_TO_FIFTH = "the case keeps to |x| < 1, where the cut series of sim3.Exp allows 1e-5"
_MODULE = "autograd of the block computed again, for the input and every weight"

JUDGEMENTS: dict[str, dict[str, Judgement]] = {
    "diffsort": {
        "NormalCDF": Judgement(
            "precision",
            "grad_output times the normal density, with its deviation saved in float32",
            "the derivative was taken by hand; the error is 1e-8 of the largest entry",
        ),
    },
    "geomloss": {
        "DoubleGrad": _callers(
            "twice grad_output, for the kernel's other argument is the same points, detached",
            f"{BY_DIFFERENCES} for gaussian, laplacian and energy, in points and in weights",
        ),
    },
    "gpytorch": {
        "QuadFormDiagonal": _symmetric("2 A b g for the vectors, Σ g b bᵀ for A = Aᵀ"),
        "ComputePredictiveUpdates": _symmetric(
            "that of a solve by the factor and a quadratic form of the symmetric middle; what it "
            "leaves above the diagonal of the factor the backward of Cholesky does not read"
        ),
    },
    "kornia": {
        "_NullSpaceBasis": _callers(
            "the part that turns the four vectors out of their space; a turn within it changes "
            "nothing that the solver computes of the space",
            "differences of the projection on the space in float64 agree to 1e-9",
        ),
        "_TargetLogSoftmax": _callers(
            "grad_output times one-hot minus softmax; it reads labels, of which not all are tried",
            "differences of the whole call in float64 agree to 1e-9, masked and not",
        ),
    },
    "linear_operator": {
        "DSMM": Judgement(
            "not in reach",
            "the transposed sparse matrix times grad_output; the sparse matrix gets none",
            BY_DIFFERENCES,
        ),
        "InvQuad": _symmetric(
            "2 A⁻¹b g for b, −g A⁻¹b (A⁻¹b)ᵀ for A", "torch.linalg.solve's gradient is the same"
        ),
        "PivotedCholesky": _symmetric(
            "autograd of a Cholesky factor of the chosen rows, in the order of pivots found"
        ),
        "Solve": _symmetric(
            "A⁻¹g for the right side, −sym(A⁻¹g xᵀ) for A",
            "it is the symmetric part of torch.linalg.solve's gradient to 1e-15",
        ),
        "SqrtInvMatmul": _symmetric(
            "that of the contour integral, symmetric in both factors",
            f"{BY_DIFFERENCES}, with and without a left side",
        ),
    },
    "memcnn": {
        "AdditiveBlockFunction": Judgement("weights of a module", _MODULE, BY_DIFFERENCES),
        "AdditiveBlockFunction2": Judgement("weights of a module", _MODULE, BY_DIFFERENCES),
        "AffineBlockFunction": Judgement("weights of a module", _MODULE, BY_DIFFERENCES),
    },
    "memory-efficient-attention-pytorch": {
        "FlashAttentionFunction": Judgement(
            "precision",
            "the backward of attention by tiles, which stays in float32",
            "autograd of softmax attention agrees: tests/packages/ cross-checks it with that",
        ),
    },
    "normflows": {
        "MemoryEfficientLogDetEstimator": Judgement(
            "weights of a module",
            "the gradient of the sum of all log-determinants: right where that is what is summed, "
            "and wrong for any other use of them, above",
            "differences of the sum in float64 agree to 1e-9",
        ),
    },
    "pypose": {
        "SO3_Log": _tangent("grad_output times the inverse left Jacobian of the logarithm"),
        "so3_Exp": _tangent("the first three entries of grad_output times the left Jacobian"),
        "SE3_Log": _tangent("grad_output times the inverse left Jacobian of SE3"),
        "se3_Exp": _tangent("the first six entries of grad_output times the left Jacobian of SE3"),
        "rxso3_Exp": _tangent("that of so3, and grad_output itself for the logarithm of the scale"),
        "Sim3_Log": _tangent("the series of the inverse left Jacobian, cut", _TO_FIFTH),
        "sim3_Exp": _tangent("the series of the left Jacobian, cut", _TO_FIFTH),
        "SO3_Act": _tangent(_ACT),
        "SE3_Act": _tangent(_ACT),
        "RxSO3_Act": _tangent(_ACT),
        "Sim3_Act": _tangent(_ACT, _TO_FIFTH),
        "SO3_Act4": _tangent(_ACT4),
        "SE3_Act4": _tangent(_ACT4),
        "Sim3_Act4": _tangent(_ACT4, _TO_FIFTH),
        "SO3_AdjXa": _tangent(_ADJOINT),
        "SE3_AdjXa": _tangent(_ADJOINT),
        "Sim3_AdjXa": _tangent(_ADJOINT, _TO_FIFTH),
        "SO3_Mul": _tangent(_PRODUCT),
        "SE3_Mul": _tangent(_PRODUCT),
        "RxSO3_Mul": _tangent(_PRODUCT),
        "Sim3_Mul": _tangent(_PRODUCT, _TO_FIFTH),
        "SO3_Inv": _tangent(_INVERSE),
        "SE3_Inv": _tangent(_INVERSE),
        "RxSO3_Inv": _tangent(_INVERSE),
        "Sim3_Inv": _tangent(_INVERSE, _TO_FIFTH),
        "SO3_AdjTXa": _tangent(
            "Ad(X) times grad_output for a, right for a rotation, whose Ad is orthogonal"
        ),
    },
    "pyro-ppl": {
        "_OMTMVNSample": Judgement(
            "on average",
            "grad_output for the mean; for the factor that of optimal transport, and not that of "
            "the sample, whose expectation it has",
            "the mean of 400 000 samples is the gradient of the expected quadratic form to 1 %",
        ),
    },
    "pysdtw": {
        "SoftDTWcpu": Judgement(
            "precision",
            "the expected alignment, of costs that are kept in float32 whatever the input has",
            "autograd of the recursion in float64 agrees to 1e-6, without a band and within one",
        ),
    },
    "pytorch-wavelets": {
        "FWD_J1": _callers(
            "the inverse transform by the same filters: their matrix with a mirrored border is its "
            "own transpose, for they are symmetric and of odd length",
            f"{BY_DIFFERENCES} for four families of filters, even and odd sizes",
        ),
        "FWD_J2PLUS": _callers(
            "the inverse transform by the filters of the other tree, which are these reversed",
            f"{BY_DIFFERENCES} for two families of filters, even and odd sizes",
        ),
        "AFB2D": _callers("the transposed filters, for a border of zeros and an even period"),
        "AFB1D": _callers("the transposed filters, for a border of zeros and an even period"),
        "ScatLayerj1_f": _callers(
            "that of the magnitude, then of FWD_J1 by filters that the caller takes symmetric"
        ),
    },
    "reformer-pytorch": {
        "_ReversibleFunction": Judgement(
            "weights of a module",
            "autograd of each block at inputs computed back from its outputs; weights get theirs "
            "where the input needs one too, as an embedding does",
            BY_DIFFERENCES,
        ),
    },
    "torch-geometric": {
        "_TorchSPMM": Judgement(
            "not in reach",
            "the transposed adjacency times grad_output, for a matrix sorted by row",
            "the dense matrix's gradient is the same to the last digit",
        ),
    },
    "torchdiffeq": {
        "OdeintAdjointMethod": _callers(
            "the solution of the adjoint equation; the caller hands over the parameters alone that "
            "require a gradient",
            "the matrix exponential's gradient agrees to 1e-7, the tolerance of the solver",
        ),
        "_StitchGradient": _callers("grad_output, for the output is the next number to its input"),
        "ImplicitFnGradientRerouting": _callers(
            "that of the event time by the implicit function theorem, handed to the state alone, "
            "from which the solver carries it on",
            "the time of landing in closed form has the same gradient to 4 digits and more",
        ),
        "_UncheckedAssign": _callers(
            "it passes on what belongs to the entry that it overwrites; that is memory without a "
            "gradient",
        ),
    },
    "torchkbnufft": {
        "KbSpmatInterpForward": Judgement(
            "not in reach", "the adjoint of the sparse matrix", BY_DIFFERENCES
        ),
    },
    "torchsde": {
        "_SdeintAdjointMethod": _callers(
            "the reversible solver run backwards; the caller hands over the parameters alone that "
            "require a gradient",
            "autograd of the recorded solver agrees to 1e-10",
        ),
    },
    "tslearn": {
        "_SoftDTWLossPyTorch": Judgement(
            "precision",
            "the expected alignment, of costs that are kept in float32 whatever the input has",
            "autograd of the recursion in float64 agrees to 1e-6",
        ),
    },
    "xitorch": {
        "degen_symeig": _symmetric("Σ v g vᵀ and the turn of the vectors, made symmetric"),
        "solve_torchfcn": _symmetric(
            "A⁻ᵀg for the right side, −A⁻ᵀg xᵀ through the operator's own product",
            f"{BY_DIFFERENCES}, for A, B, E and M of A X − M X E = B",
        ),
        "_RootFinder": _callers(
            "that of the implicit function theorem, at the root that was found",
            "differences of the whole call agree to 1e-4, the tolerance of the solver",
        ),
        "_SolveIVP": _callers(
            "the solution of the adjoint equation",
            "the matrix exponential's gradient agrees to 1e-8, the tolerance of the solver",
        ),
    },
}


def judgement_of(package: str, name: str) -> Judgement | None:
    """Of a distribution's Function."""
    return JUDGEMENTS.get(package, {}).get(name)
