"""Operations here, gradients later: modules 02-04 know nothing of 06, and train the moment it is imported."""

from __future__ import annotations

import subprocess
import sys


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


MODEL = """
import sys
import tt_activations, tt_layers, tt_losses, tt_tensor
tt_tensor.manual_seed(0)
layer = tt_layers.Linear(3, 2)
def loss():
    return tt_losses.mse_loss(tt_activations.leaky_relu(layer(tt_tensor.ones(4, 3))), tt_tensor.ones(4, 2))
"""


def test_layers_and_losses_import_nothing_of_autograd() -> None:
    assert python(MODEL + "print('tt_autograd' in sys.modules)") == "False"


def test_without_autograd_the_forward_pass_works_and_backward_says_what_to_install() -> None:
    said = python(MODEL + "l = loss()\nprint(l.item() > 0)\ntry: l.backward()\nexcept RuntimeError as e: print(e)")
    first, rest = said.split("\n", 1)
    assert first == "True"
    assert "pip install tt-autograd" in rest


def test_the_same_objects_train_once_autograd_is_imported() -> None:
    code = (
        MODEL
        + """
before = loss().item()
import tt_autograd, tt_optim
adam = tt_optim.Adam(layer.parameters(), lr=0.1)
for _ in range(50):
    loss().backward()
    adam.step()
    adam.zero_grad()
print(loss().item() < before / 10)
"""
    )
    assert python(code) == "True"
