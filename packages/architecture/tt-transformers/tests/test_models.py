"""GPT and Llama: what must hold of any language model that sees only the past."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_autograd import gradcheck, no_grad
from tt_layers import Linear, Parameter
from tt_tensor import Tensor, from_numpy
from tt_transformers import GPT, Llama, RMSNorm, TransformerBlock

Array = npt.NDArray[Any]
Model = GPT | Llama


SIZES: dict[str, Any] = {"vocab_size": 17, "embed_dim": 8, "num_layers": 2, "max_seq_len": 6}


def gpt(**settings: Any) -> GPT:
    return GPT(**{**SIZES, "num_heads": 2, **settings}, rng=rng())


def llama(**settings: Any) -> Llama:
    return Llama(**{**SIZES, "num_heads": 4, "num_kv_heads": 2, **settings}, rng=rng())


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def louder(model: Model) -> Model:
    """Make the first weights large, so that what a test looks for is no rounding."""
    for parameter in model.parameters():
        if parameter.ndim == 2:
            parameter.data[...] *= 15
    return model


MODELS = [gpt, llama]
VARIANTS: list[tuple[Any, dict[str, Any]]] = [
    (gpt, {}),
    (gpt, {"tie_weights": False}),
    (llama, {}),
    (llama, {"tie_weights": False}),
    (llama, {"num_kv_heads": None, "hidden_dim": 10}),
]


@pytest.mark.parametrize(("make", "settings"), VARIANTS)
def test_logits_for_every_place(make: Any, settings: dict[str, Any]) -> None:
    model: Model = make(**settings)
    ids = rng().integers(0, 17, (3, 5))
    assert model(ids).shape == model(from_numpy(ids)).shape == (3, 5, 17)
    assert model(ids).dtype == np.float32
    np.testing.assert_array_equal(model(ids.astype(np.int32)).data, model(ids).data)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("place", range(1, 6))
def test_a_later_token_changes_no_earlier_logit(make: Any, place: int) -> None:
    model, ids = louder(make()), rng().integers(0, 16, (2, 6))
    other = ids.copy()
    other[:, place] += 1
    before, after = model(ids).data, model(other).data
    np.testing.assert_allclose(before[:, :place], after[:, :place], atol=1e-6)
    assert np.abs(before[:, place:] - after[:, place:]).max(axis=(0, 2)).min() > 1e-3  # and every later one is changed


@pytest.mark.parametrize("make", MODELS)
def test_shuffled_input_gives_other_logits(make: Any) -> None:
    model = louder(make())
    a = model(np.array([[1, 2, 3, 4]])).data[0, -1]
    b = model(np.array([[3, 1, 2, 4]])).data[0, -1]
    assert np.abs(a - b).max() > 1e-3


def test_learned_positions_tell_equal_tokens_apart_and_rotary_ones_see_only_distance() -> None:
    same = np.full((1, 4), 3)
    logits = louder(gpt())(same).data[0]
    assert np.abs(np.diff(logits, axis=0)).max() > 1e-3
    turned = louder(llama())(same).data[0]
    np.testing.assert_allclose(turned, np.broadcast_to(turned[0], turned.shape), atol=1e-4)


@pytest.mark.parametrize("make", MODELS)
def test_rows_of_a_batch_do_not_meet(make: Any) -> None:
    model, ids = make(), rng().integers(0, 17, (3, 6))
    both = model(ids).data
    for row in range(3):
        np.testing.assert_allclose(model(ids[row : row + 1]).data[0], both[row], atol=1e-5)
    assert model.parallel_batches is True


@pytest.mark.parametrize("make", MODELS)
def test_features_and_logits_are_the_halves_of_forward(make: Any) -> None:
    model, ids = make(), rng().integers(0, 17, (2, 4))
    np.testing.assert_array_equal(model.logits(model.features(from_numpy(ids))).data, model(ids).data)


def test_ids_that_are_overwritten_before_the_backward_pass_change_nothing() -> None:
    """A batch may be filled into one buffer again and again."""
    model, buffer = GPT(11, 8, 1, 2, 6, tie_weights=False, rng=rng()), np.array([[0, 1, 2]])
    loss = (model(buffer) ** 2).sum()
    buffer[...] = 5
    loss.backward()
    assert model.tokens.weight.grad is not None
    assert np.flatnonzero(np.abs(model.tokens.weight.grad.data).sum(axis=1)).tolist() == [0, 1, 2]
    assert model(np.array([[1, 2]], ">i4")).shape == (1, 2, 11)


def test_gpt_knows_where_its_ids_stand() -> None:
    model = gpt(num_layers=1)
    louder(model)
    x = model.positions(model.tokens(from_numpy(np.array([[5]]))), offset=3)
    np.testing.assert_allclose(
        model.features(from_numpy(np.array([[5]])), offset=3).data, model.norm(model.blocks[0](x)).data, atol=1e-6
    )


@pytest.mark.parametrize("make", MODELS)
def test_tied_weights_count_once_and_their_gradients_add_up(make: Any) -> None:
    tied, own = make(), make(tie_weights=False)
    assert tied.num_parameters() + 17 * 8 == own.num_parameters()
    assert tied.head is None
    assert isinstance(own.head, Linear)
    state = tied.state_dict()
    own.load_state_dict({**state, "head.weight": state["tokens.weight"].T})
    ids = rng().integers(0, 17, (2, 5))
    np.testing.assert_allclose(tied(ids).data, own(ids).data, atol=1e-6)
    weights = rng(1).standard_normal((2, 5, 17)).astype(np.float32)
    for model in (tied, own):
        (model(ids) * Tensor(weights)).sum().backward()
    assert tied.tokens.weight.grad is not None
    assert own.tokens.weight.grad is not None
    assert own.head.weight.grad is not None
    total = own.tokens.weight.grad.data + own.head.weight.grad.data.T
    np.testing.assert_allclose(tied.tokens.weight.grad.data, total, atol=1e-4)


def loss_of(model: Model, ids: Array, targets: Array) -> Tensor:
    logits = model(ids).reshape(-1, model.vocab_size)
    picked = logits[np.arange(len(logits)), targets.reshape(-1)]
    return (logits.exp().sum(axis=-1).log() - picked).mean()


@pytest.mark.parametrize("make", MODELS)
def test_an_untrained_model_knows_nothing(make: Any) -> None:
    model = make(vocab_size=65, embed_dim=64, num_layers=4, num_heads=4, max_seq_len=32)
    ids = rng(3).integers(0, 65, (8, 33))
    with no_grad():
        assert abs(loss_of(model, ids[:, :-1], ids[:, 1:]).item() - math.log(65)) < 0.1


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("layers", [2, 8])
def test_first_weights_are_those_of_gpt2(make: Any, layers: int) -> None:
    model = make(embed_dim=64, num_layers=layers, num_heads=4)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert not parameter.data.any(), name
        elif "norm" in name:
            assert (parameter.data == 1).all(), name
        else:
            added = name.endswith(("attention.output.weight", "mlp.down.weight"))
            expected = 0.02 / math.sqrt(2 * layers) if added else 0.02
            assert parameter.data.std() == pytest.approx(expected, rel=0.12), name


@pytest.mark.parametrize("make", MODELS)
def test_first_weights_come_from_the_generator(make: Any) -> None:
    for (name, a), (_, b) in zip(make().named_parameters(), make().named_parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data, err_msg=name)


@pytest.mark.parametrize(("make", "settings"), VARIANTS)
def test_every_parameter_gets_a_gradient_and_a_tiny_batch_is_learned(make: Any, settings: dict[str, Any]) -> None:
    model: Model = make(**settings)
    ids = np.array([[1, 2, 3, 4, 5], [5, 3, 1, 2, 4]])
    moments: dict[str, tuple[Array, Array]] = {}
    for step in range(1, 121):  # Adam, by hand
        model.zero_grad()
        loss = loss_of(model, ids[:, :-1], ids[:, 1:])
        loss.backward()
        for name, p in model.named_parameters():
            assert p.grad is not None, name
            g, (m, v) = p.grad.data, moments.get(name, (np.zeros(p.shape), np.zeros(p.shape)))
            moments[name] = m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            p.data[...] -= 0.02 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    assert loss.item() < 0.05


@pytest.mark.parametrize("make", MODELS)
def test_the_gradient_of_a_whole_model(make: Any) -> None:
    heads = {"num_heads": 2} if make is gpt else {"num_heads": 2, "num_kv_heads": 1}
    model = louder(make(vocab_size=5, embed_dim=4, num_layers=1, **heads))
    for module in list(model.modules()):
        for name, value in list(vars(module).items()):
            if isinstance(value, Parameter):
                setattr(module, name, Parameter(value.data, dtype=np.float64))
    table = model.tokens.weight

    def through(weight: Tensor) -> Tensor:
        model.tokens.weight = weight  # type: ignore[assignment]  # a plain tensor in the parameter's place
        return model(np.array([[0, 1, 2, 1]]))

    assert gradcheck(through, table)


@pytest.mark.parametrize("make", MODELS)
def test_dropout_is_for_training_only(make: Any) -> None:
    model, ids = make(dropout=0.3), np.array([[1, 2, 3]])
    assert not np.array_equal(model(ids).data, model(ids).data)
    model.eval()
    np.testing.assert_array_equal(model(ids).data, model(ids).data)


@pytest.mark.parametrize("make", MODELS)
def test_a_state_travels(make: Any) -> None:
    model, other = make(), make()
    for parameter in other.parameters():
        parameter.data[...] += 1
    other.load_state_dict(model.state_dict())
    ids = rng().integers(0, 17, (2, 6))
    np.testing.assert_array_equal(model(ids).data, other(ids).data)


def test_llama_is_made_of_what_it_says() -> None:
    model = llama(eps=1e-3)
    assert len(model.blocks) == 2
    assert all(isinstance(block, TransformerBlock) for block in model.blocks)
    assert model.blocks[0].attention.qkv.weight.shape == (8, 8 + 2 * 4)
    assert [m.eps for m in model.modules() if isinstance(m, RMSNorm)] == [1e-3] * 5
    assert not [name for name, _ in model.named_parameters() if name.endswith("bias")]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(
    ("ids", "error", "says"),
    [
        (np.zeros((1, 7), int), ValueError, "max_seq_len=6 places, but received 7"),
        (np.zeros((3,), int), ValueError, r"shape \(3,\)"),
        (np.zeros((1, 0), int), ValueError, "T at least 1"),
        (np.zeros((1, 3)), ValueError, "float"),
        (np.array([[17]]), IndexError, "17"),
        (np.array([[-1]]), IndexError, "-1"),
    ],
)
def test_wrong_ids_explain_themselves(make: Any, ids: Array, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()(ids)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"vocab_size": 0}, "vocab_size to be at least 1"),
        ({"max_seq_len": 0}, "max_seq_len to be at least 1"),
        ({"num_layers": 0}, "num_layers to be at least 1"),
        ({"num_heads": 3}, "3"),
        ({"num_heads": 0}, "0"),
    ],
)
def test_impossible_sizes_explain_themselves(make: Any, settings: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make(**settings)
