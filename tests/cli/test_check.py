"""`torchref check` of one Function by its address, and all that can be wrong with that."""

from pathlib import Path

import pytest

from tests.cli.checked_files import CASES, KERNELS, SHOWN

INPUTS = ("--inputs", "randn(4, 3), randn(3)")
pytestmark = pytest.mark.usefixtures("_modules_kept")


@pytest.mark.usefixtures("folder")
class TestOne:
    def test_from_a_file_to_the_cause_as_the_page_shows(self, run) -> None:
        reference = ("--reference", "gelu_reference")
        status, out, err = run("check", "kernels.py:BiasGelu", *INPUTS, *reference)
        assert (status, err) == (1, "")
        assert out.startswith(SHOWN)

    def test_a_file_with_its_cases(self, run, folder: Path) -> None:
        (folder / "cased_kernels.py").write_text(KERNELS + CASES)
        status, out, _ = run("check", "cased_kernels.py", "--no-isolate")
        assert status == 1
        assert out.startswith(
            "BiasGelu against gelu_reference: wrong\n  1. constant-factor in bias"
        )

    @pytest.mark.parametrize(
        ("target", "options", "status", "told"),
        [
            ("many.py:Sine", ["--inputs", "randn(3)"], 0, "Sine against sin: right"),
            ("many:Sine", ["--inputs", "x=randn(3)", "--order", "2"], 0, "right"),
            ("many.py:Sine.apply", ["--cases", "x"], 0, "Sine against sin: right"),
            ("many.py:sine", ["--cases", "many.py:one_by_one"], 0, "right"),
            ("many.py:Scale", ["--inputs", "randn(2, 3)", "--wrt", "w"], 0, "Scale: right"),
            ("many.py:twice", ["--inputs", "by=3, x=randn(3)"], 0, "twice: right"),
            ("many.py:Flipped", ["--inputs", "randn(3)"], 1, "sign-flipped in x"),
            ("many.py:Raises", ["--inputs", "randn(3)"], 1, "RuntimeError: no luck [red]"),
            (
                "many.py:Flipped",
                ["--inputs", "randn(3)", "--expect", "sign-flipped=meant", "--reference", "sine"],
                0,
                "expected: sign-flipped in x[",
            ),
            (
                "many.py:Flipped",
                ["--inputs", "randn(3)", "--surrogate", "sine"],
                1,
                "with the gradient of sine: wrong",
            ),
            (
                "torch.nn.functional:silu",
                [
                    "--inputs",
                    "randn(4).double()",
                    "--inputs",
                    "randn(2)",
                    "--domain",
                    "many.py:small",
                ],
                0,
                "silu: right",
            ),
            ("many.py:sine", ["--inputs", "randn(3)", "--no-vary"], 0, "by vary="),
            ("many.py:sine", ["--inputs", "randn(3)", "--vary", "values"], 0, "layouts of"),
        ],
    )
    def test_a_verdict(self, run, target: str, options: list[str], status: int, told: str) -> None:
        quick = [] if "vary" in str(options) else ["--quick"]
        ended, out, err = run("check", target, *options, *quick, "--no-isolate")
        assert (ended, err.replace("printed at import\n", "")) == (status, "")
        assert told.removeprefix("layouts of") in out

    def test_a_seed_repeats(self, run) -> None:
        call = ("check", "many.py:Flipped", "--cases", "x", "--quick", "--no-isolate", "--seed")
        assert run(*call, 3)[1] == run(*call, 3)[1] != run(*call, 4)[1]

    @pytest.mark.parametrize(
        ("target", "options", "told"),
        [
            ("", [], "FILE.py:NAME or PACKAGE.MODULE:NAME"),
            ("kernels.py:", [], "Write kernels.py:NAME."),
            ("kernel.py", [], "kernel.py is not there"),
            ("kernels.BiasGelu", [], "stands after a colon: kernels:BiasGelu"),
            ("kernels.py:BiasGELU", [], "Did you mean BiasGelu?"),
            ("kernels.py:BiasGelu", [], '--inputs "x=randn(4, 3), bias=randn(4, 3)"'),
            ("kernels.py", ["--inputs", "randn(4, 3)"], "missing a required argument: 'bias'"),
            ("kernels.py:BiasGelu", ["--inputs", "randn(3), bais=randn(3)"], "Did you mean bias?"),
            ("kernels.py:BiasGelu", ["--inputs", "randn(3), 1, 2"], "too many positional"),
            ("kernels.py:BiasGelu", ["--inputs", "randm(3)"], "Did you mean randn?"),
            (
                "kernels.py:BiasGelu",
                [*INPUTS, "--reference", "gelu_ref"],
                "Did you mean gelu_reference?",
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--wrt", "z"], "wrt must name"),
            (
                "kernels.py:BiasGelu",
                [*INPUTS, "--expect", "transpose=x"],
                "Did you mean transposed?",
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--expect", "transposed"], "--expect transposed="),
            ("kernels.py:BiasGelu", [*INPUTS, "--vary", "size"], "Did you mean sizes?"),
            *(
                ("kernels.py:BiasGelu", [*INPUTS, "--vary", "sizes", *options], "stand together")
                for options in (["--no-vary"], ["--quick"])
            ),
            ("kernels.py:BiasGelu", [*INPUTS, "--cases", "x"], "not stand together"),
            ("kernels.py:BiasGelu", [*INPUTS, "--tolerance", "2"], "tolerance must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--precision", "half"], "precision must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--seconds", "-1"], "seconds must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--device", "tpu"], "--device must be"),
            ("kernels.py:BiasGelu", [*INPUTS, "--json", "."], "--json must be a file"),
            ("kernels.py:BiasGelu", [*INPUTS, "--json", "-", "--junit", "-"], "must differ"),
            ("kernels.py:BiasGelu", ["--inputs", "arange(3), 1"], "at least one input must be"),
            ("many.py:Needs", ["--inputs", "randn(3)"], "missing a required argument: 'n'"),
            ("many.py:Plain", ["--inputs", "randn(3)"], "a Module or a function"),
            ("many.py:Bare", ["--inputs", "randn(3)"], "a Function must have a forward"),
            ("many.py:sine", ["--cases", "fails"], "ValueError came out of it: no luck"),
            ("many.py:sine", ["--cases", "empty"], "an empty list arrived"),
            ("many.py:sine", ["--cases", "typo"], "Did you mean inputs?"),
            ("many.py:sine", ["--cases", "lock"], "must be a tuple of arguments"),
            ("many.py", ["--inputs", "randn(3)"], "--inputs must be given for one candidate"),
            ("json", [], "TARGET must define a torch.autograd.Function"),
            (
                "many.py:twice",
                ["--inputs", "randn(3)", "--inputs", "a=1"],
                "Give each by its place",
            ),
        ],
    )
    def test_bad_input_is_one_message(
        self, run, target: str, options: list[str], told: str
    ) -> None:
        status, out, err = run("check", target, *options, "--no-isolate")
        assert status == 2
        assert out == ""
        assert told in err
        assert "error:" in err
