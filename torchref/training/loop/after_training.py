"""What is said of a network when its training is over: a thorough verdict, and an explanation.

Only networks are explained whose chain rule `torchref.explain` walks: linear layers and
activations. One weight of each layer is, as text, and a chart shows the gradients' norms by layer.
Of a small network the first explanation is pictures too, which need matplotlib.
"""

import copy
from collections.abc import Mapping

import torch
from torch.nn import Module

from torchref.checker import Report
from torchref.errors import InputError
from torchref.explainer import Explanation, explain
from torchref.explainer.chain.forward import MOST_NEURONS
from torchref.explainer.charts.line_chart import line_chart
from torchref.explainer.document.card import cards_of
from torchref.training.checks.verdict import Judge
from torchref.training.log.logbook import Logbook
from torchref.training.model.examples import Examples
from torchref.training.model.model_in_training import Contender
from torchref.training.model.task import Task

CHECKED = 32  # examples
Norms = Mapping[str, Mapping[str, float]]


def crosscheck_thoroughly(
    task: Task, contender: Contender, examples: Examples, logbook: Logbook
) -> Report:
    """Of the trained model, on some of its examples, in TensorBoard and on the terminal."""
    few = examples[torch.arange(min(CHECKED, len(examples)), device=examples.x.device)]
    report = Judge(contender, task).thorough(few)
    logbook.writers[contender.name].add_text("crosscheck", f"```\n{report}\n```")
    findings = "" if report.verdict == "right" else f"\n{report}"
    print(f"Cross-check of the trained model: {report.verdict}.{findings}")
    return report


def explain_trained(
    task: Task, contender: Contender, example: Examples, logbook: Logbook, step: int, norms: Norms
) -> None:
    """`norms` holds, for some log points by their names, the norm of each weight's gradient."""
    found, run = explanations(task, contender.model, example), contender.name
    for name, explanation in found.items():
        logbook.log_text(step, run, f"explain/{name}", explanation.markdown())
    if not found:
        return
    by_layer = {point: dict(enumerate(n.values(), start=1)) for point, n in norms.items()}
    chart = line_chart(by_layer, "layer", "norm of dL/dW")
    logbook.log_image(step, run, "gradient_norm_by_layer", chart.image())
    name, explanation = next(iter(found.items()))
    if max(explanation.sizes) <= MOST_NEURONS:
        try:
            for kind, card in cards_of(explanation).items():
                logbook.log_image(step, run, f"explain/{name}{kind}", card)
        except InputError as error:
            logbook.complain(f"The explanation is text only in TensorBoard. {error}")


def explanations(task: Task, model: Module, example: Examples) -> dict[str, Explanation]:
    """Of the first weight of each layer; none where it is not layered."""
    if not isinstance(task.loss, Module):
        return {}
    network = copy.deepcopy(task.network)
    network.load_state_dict(model.state_dict())  # the model may consist of torch's own layers
    x, target = example.x.cpu(), example.target.cpu()
    weights = [name for name, parameter in network.named_parameters() if parameter.dim() == 2]
    try:
        return {name: explain(network, task.loss, x, target, name) for name in weights}
    except InputError:
        return {}
