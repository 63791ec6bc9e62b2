"""SGD, RMSprop, Adam and AdamW: their settings, around the rules in `_kernels`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tt_tensor import Array

from tt_optim._kernels import adam_update, rmsprop_update, sgd_update
from tt_optim._optimizer import Optimizer
from tt_optim._settings import ParamGroup, Params


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    Args:
        params: Parameters, named parameters or groups; see `Optimizer`.
        lr: The learning rate.
        momentum: What remains of the velocity after a step; 0 keeps no state.
        dampening: What is taken from each gradient but the first before it joins the velocity.
        weight_decay: This times the parameter is added to its gradient (L2).
        nesterov: Look ahead along the velocity.

    Raises:
        ValueError: If a setting is out of its range, or there are no parameters.

    Source: Sutskever et al., 2013; the formulas are those of torch.optim.SGD.

    Example:
        >>> from tt_tensor import Tensor
        >>> weight = Tensor([1.0], requires_grad=True)
        >>> weight.grad = Tensor([2.0])
        >>> SGD([weight], lr=0.25).step()
        >>> weight.tolist()
        [0.5]
    """

    def __init__(
        self,
        params: Params | Iterable[Mapping[str, object]],
        lr: float = 0.01,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        settings = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
        }
        super().__init__(params, settings)

    def state_names(self, group: ParamGroup) -> tuple[str, ...]:
        """Return the velocity, if there is momentum."""
        return ("velocity",) if group["momentum"] else ()

    def update(self, gradient: Array, states: Mapping[str, Array], out: Array, step: int, group: ParamGroup) -> None:
        """Write the step; see `Optimizer.update`."""
        sgd_update(
            gradient,
            states.get("velocity"),
            out,
            step=step,
            lr=group["lr"],
            momentum=group["momentum"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
        )


class RMSprop(Optimizer):
    """Divide each gradient by the root of its running mean square.

    Args:
        params: Parameters, named parameters or groups; see `Optimizer`.
        lr: The learning rate.
        alpha: What remains of the mean square after a step.
        eps: Added to the root; keeps the step finite.
        weight_decay: This times the parameter is added to its gradient (L2).
        momentum: What remains of the velocity after a step.

    Raises:
        ValueError: If a setting is out of its range, or there are no parameters.

    Source: Hinton, lecture 6e, 2012; the formulas are those of torch.optim.RMSprop.

    Example:
        >>> from tt_tensor import Tensor
        >>> weight = Tensor([1.0], requires_grad=True)
        >>> weight.grad = Tensor([2.0])
        >>> RMSprop([weight], lr=0.1, alpha=0.75).step()
        >>> round(weight.item(), 4)
        0.8
    """

    def __init__(
        self,
        params: Params | Iterable[Mapping[str, object]],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        settings = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, settings)

    def state_names(self, group: ParamGroup) -> tuple[str, ...]:
        """Return the mean square, and the velocity if there is momentum."""
        return ("square", "velocity") if group["momentum"] else ("square",)

    def update(self, gradient: Array, states: Mapping[str, Array], out: Array, step: int, group: ParamGroup) -> None:
        """Write the step; see `Optimizer.update`."""
        rmsprop_update(
            gradient,
            states["square"],
            states.get("velocity"),
            out,
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            momentum=group["momentum"],
        )


class Adam(Optimizer):
    """Momentum over a running mean square, both corrected for having started at zero.

    Args:
        params: Parameters, named parameters or groups; see `Optimizer`.
        lr: The learning rate; also about the size of a step in every parameter.
        betas: What remains of the mean and of the mean square after a step.
        eps: Added to the root; keeps the step finite.
        weight_decay: This times the parameter is added to its gradient (L2); `AdamW` does better.

    Raises:
        ValueError: If a setting is out of its range, or there are no parameters.

    Source: Kingma and Ba, 2015.

    Example:
        >>> from tt_tensor import Tensor
        >>> weight = Tensor([1.0], requires_grad=True)
        >>> weight.grad = Tensor([1000.0])
        >>> Adam([weight], lr=0.25).step()
        >>> round(weight.item(), 4)
        0.75
    """

    def __init__(
        self,
        params: Params | Iterable[Mapping[str, object]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def state_names(self, group: ParamGroup) -> tuple[str, ...]:
        """Return the two weighted sums."""
        return ("gradient_sum", "square_sum")

    def update(self, gradient: Array, states: Mapping[str, Array], out: Array, step: int, group: ParamGroup) -> None:
        """Write the step; see `Optimizer.update`."""
        beta1, beta2 = group["betas"]
        adam_update(
            gradient,
            states["gradient_sum"],
            states["square_sum"],
            out,
            step=step,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: weights shrink by `lr * weight_decay` of themselves, whatever their gradients.

    Args:
        params: Parameters, named parameters or groups; see `Optimizer`.
        lr: The learning rate.
        betas: What remains of the mean and of the mean square after a step.
        eps: Added to the root; keeps the step finite.
        weight_decay: How strongly weights shrink.

    Raises:
        ValueError: If a setting is out of its range, or there are no parameters.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    Example:
        >>> from tt_tensor import Tensor
        >>> weight = Tensor([1.0], requires_grad=True)
        >>> weight.grad = Tensor([0.0])
        >>> AdamW([weight], lr=0.5, weight_decay=0.5).step()
        >>> weight.tolist()
        [0.75]
    """

    def __init__(
        self,
        params: Params | Iterable[Mapping[str, object]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def decay(self, group: ParamGroup) -> tuple[float, float]:
        """Return nothing for the gradient, and the factor by which weights shrink."""
        return 0.0, 1.0 - group["lr"] * group["weight_decay"]
