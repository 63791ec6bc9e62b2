"""Generating: what the model sees, when it stops, and that it leaves no trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tt_autograd import is_grad_enabled
from tt_tensor import Tensor
from tt_transformers import GPT, LanguageModel, Llama, generate_tokens

Array = npt.NDArray[Any]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(params=[GPT, Llama])
def model(request: pytest.FixtureRequest) -> LanguageModel:
    sizes: dict[str, Any] = {
        "vocab_size": 11,
        "embed_dim": 8,
        "num_layers": 2,
        "num_heads": 2,
        "max_seq_len": 6,
        "rng": rng(),
    }
    made: LanguageModel = request.param(**sizes, dropout=0.4)
    for parameter in made.parameters():
        if parameter.ndim == 2:
            parameter.data[...] *= 20
    return made


@pytest.mark.parametrize("prompt", [[3], [1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_greedy_is_the_argmax_of_the_logits_of_the_last_places(model: LanguageModel, prompt: list[int]) -> None:
    expected = list(prompt)
    model.eval()
    for _ in range(9):
        logits = model(np.array([expected[-6:]])).data[0, -1]
        expected.append(int(np.argmax(logits)))
    model.train()
    assert model.generate(prompt, 9, temperature=0).tolist() == expected
    assert model.generate(np.array(prompt), 9, 0.0).tolist() == expected
    assert model.generate(Tensor(prompt), 9, 0.0).tolist() == expected
    assert list(model.stream(prompt, 9, temperature=0)) == expected[len(prompt) :]


def test_rows_of_a_batch_are_generated_as_each_alone(model: LanguageModel) -> None:
    prompts = np.array([[1, 2], [3, 4], [9, 0]])
    together = model.generate(prompts, 7, temperature=0)
    assert together.shape == (3, 9)
    for row, prompt in zip(together, prompts, strict=True):
        assert row.tolist() == model.generate(prompt, 7, temperature=0).tolist()
    streamed = np.stack(list(model.stream(prompts, 7, temperature=0)), axis=1)
    np.testing.assert_array_equal(streamed, together[:, 2:])


def test_the_same_generator_writes_the_same_and_another_something_else(model: LanguageModel) -> None:
    first, again, other = (model.generate([1], 30, 3.0, top_k=9, top_p=0.99, rng=rng(s)).tolist() for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert list(model.stream([1], 30, 3.0, 9, 0.99, rng=rng(1))) == first[1:]


def test_without_a_temperature_logits_are_taken_as_they_are(model: LanguageModel) -> None:
    plain = model.generate([1], 30, 1.0, rng=rng(1)).tolist()
    assert model.generate([1], 30, rng=rng(1)).tolist() == plain
    assert list(model.stream([1], 30, rng=rng(1))) == plain[1:]
    assert model.generate([1], 30, 2.0, rng=rng(1)).tolist() != plain


def test_top_k_of_one_is_greedy(model: LanguageModel) -> None:
    greedy = model.generate([1, 2], 8, temperature=0).tolist()
    assert model.generate([1, 2], 8, temperature=4.0, top_k=1).tolist() == greedy
    assert model.generate([1, 2], 8, temperature=1.0, top_p=1e-6).tolist() == greedy


def counting(ids: Array) -> Array:
    """Logits for which after each id the next follows."""
    return np.asarray(np.eye(10)[(ids[:, -1] + 1) % 10])


def test_a_stop_token_ends_and_is_kept() -> None:
    assert [int(i[0]) for i in generate_tokens(counting, [0], 20, 0, stop=4)] == [1, 2, 3, 4]
    assert [int(i[0]) for i in generate_tokens(counting, [0], 20, 0, stop={7, 3})] == [1, 2, 3]
    assert [int(i[0]) for i in generate_tokens(counting, [4], 3, 0, stop=4)] == [5, 6, 7]  # in the prompt it is text
    for stop in (
        np.int64(2),
        Tensor(2),
        np.array([2, 9]),
        Tensor([2]),
        range(2, 4),
        frozenset({2}),
        {"end": 2}.values(),
    ):
        assert [int(i[0]) for i in generate_tokens(counting, [0], 3, 0, stop=stop)] == [1, 2]
    assert [int(i[0]) for i in generate_tokens(counting, [0], 3, 0, stop=[])] == [1, 2, 3]


def test_a_row_that_has_ended_waits_for_the_others() -> None:
    rows = np.stack(list(generate_tokens(counting, [[0], [3]], 20, 0, stop=5)), axis=1)
    assert rows.tolist() == [[1, 2, 3, 4, 5], [4, 5, 5, 5, 5]]


def test_stop_in_a_model(model: LanguageModel) -> None:
    free = model.generate([1], 12, temperature=0).tolist()
    end = free[4]
    stopped = model.generate([1], 12, temperature=0, stop=end).tolist()
    assert stopped == free[: free.index(end, 1) + 1]
    assert model.generate([1, 2], 0).tolist() == [1, 2]
    assert model.generate([[1, 2]], 0).tolist() == [[1, 2]]


def test_generating_leaves_the_mode_and_records_nothing(model: LanguageModel) -> None:
    modes: list[bool] = []
    part = model.blocks[1].mlp  # type: ignore[attr-defined]  # both models have blocks
    part.eval()
    for _ in model.stream([1], 3):
        modes += [model.training, part.training, is_grad_enabled()]
    assert modes == [True, False, True] * 3
    assert model.training
    assert not part.training
    model.train()
    logits = model.next_logits(np.array([[1, 2]]))
    np.testing.assert_array_equal(logits, model.next_logits(np.array([[1, 2]])))  # no dropout
    assert logits.shape == (1, 11)
    with pytest.raises(IndexError):
        model.next_logits(np.array([[11]]))
    assert model.training


def test_threads_do_not_put_a_model_back_into_training_under_each_other(model: LanguageModel) -> None:
    block = model.blocks[0]  # type: ignore[attr-defined]  # both models have blocks
    attend, seen = block.attention, []
    first_inside, second_inside, first_done = threading.Event(), threading.Event(), threading.Event()

    def watched(x: Tensor) -> Tensor:
        if not first_inside.is_set():
            first_inside.set()
            second_inside.wait(0.2)  # in vain, if the second has to wait for the first
        else:
            second_inside.set()
            first_done.wait(5)
        seen.append(model.training)
        return attend(x)  # type: ignore[no-any-return]

    def first() -> None:
        model.next_logits(np.array([[1, 2]]))
        first_done.set()

    block.attention = watched
    thread = threading.Thread(target=first)
    thread.start()
    first_inside.wait(5)
    model.next_logits(np.array([[1, 2]]))
    thread.join()
    assert seen == [False, False]
    assert model.training


def test_streaming_is_one_token_at_a_time() -> None:
    asked: list[int] = []

    def slow(ids: Array) -> Array:
        asked.append(ids.shape[1])
        return counting(ids)

    tokens: Iterator[Array] = generate_tokens(slow, [0], 1000, 0)
    next(tokens)
    next(tokens)
    assert asked == [1, 2]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"max_new_tokens": 2.5}, "max_new_tokens .* received 2.5"),
        ({"stop": 2.0}, "stop .* received 2.0"),
        ({"stop": [1, 1.5]}, r"stop .* received \[1, 1.5\]"),
        ({"stop": "a"}, "stop .* received 'a'"),
        ({"tokens": [[1, 2], [1]]}, "same length"),
        ({"tokens": []}, r"shape \(0,\)"),
        ({"tokens": [[[1]]]}, "1, 1, 1"),
        ({"tokens": [1.5]}, "float64"),
    ],
)
def test_wrong_requests_are_refused_before_the_first_token(
    model: LanguageModel, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        model.stream(**{"tokens": [1], "max_new_tokens": 3, **settings})
    with pytest.raises(ValueError, match=says):
        model.generate(**{"tokens": [1], "max_new_tokens": 3, **settings})


def test_a_model_without_its_halves_says_which() -> None:
    with pytest.raises(NotImplementedError, match="LanguageModel has no features"):
        LanguageModel().features(Tensor([[1]]))
    with pytest.raises(NotImplementedError, match="LanguageModel has no logits"):
        LanguageModel().logits(Tensor([[1.0]]))
