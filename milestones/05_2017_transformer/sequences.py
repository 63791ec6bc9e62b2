"""Small tasks that need attention: say a sequence backwards, as it is, or sorted."""

from __future__ import annotations

from typing import NamedTuple

import tinytorch as tt

SYMBOLS, LENGTH, HELD_OUT = 10, 6, 500
TASKS = ("reversal", "copy", "sorting")  # task k is asked for by the token SYMBOLS + 1 + k
ANSWER = SYMBOLS  # the token after which the answer stands
VOCABULARY = SYMBOLS + 1 + len(TASKS)
PROMPT = 1 + LENGTH + 1  # task, sequence, "answer:"
IGNORED = -100  # cross_entropy's ignore_index: what the prompt says is not to be learnt


class Learnt(NamedTuple):
    """A model that was trained on some tasks, and what was measured."""

    model: tt.nn.GPT
    losses: list[float]
    accuracy: float  # held-out sequences answered without a mistake
    untrained: float  # symbols of the answers that the model got right before training


def rows(names: tuple[str, ...], count: int) -> tt.Array:
    """Return distinct random sequences, each with a task before it and the answer behind: (count, PROMPT + LENGTH)."""
    rng = tt.default_rng()
    drawn = dict.fromkeys(map(tuple, rng.integers(SYMBOLS, size=(count * 11 // 10, LENGTH)).tolist()))
    found = tt.Tensor(list(drawn)[:count]).numpy()  # as a dict, so that no held-out sequence is trained on
    task = rng.integers(len(names), size=len(found))
    whole = tt.zeros((len(found), PROMPT + LENGTH), dtype="int64").numpy().copy()
    whole[:, 1 : PROMPT - 1], whole[:, PROMPT - 1] = found, ANSWER
    for number, name in enumerate(names):
        chosen = task == number
        asked = found[chosen]
        if name == "reversal":
            asked = asked[:, ::-1]
        elif name == "sorting":
            asked.sort(axis=1)
        whole[chosen, 0], whole[chosen, PROMPT:] = SYMBOLS + 1 + TASKS.index(name), asked
    return whole


def answered(model: tt.nn.GPT, whole: tt.Array) -> tt.Array:
    """Let the model write each answer, symbol after symbol, and return where it is right: (N, LENGTH).

    It does not see the right answer meanwhile: a model that looks ahead gains nothing by it.
    """
    written = model.generate(whole[:, :PROMPT], LENGTH, temperature=0)
    right: tt.Array = written[:, PROMPT:] == whole[:, PROMPT:]
    return right


def learn(names: tuple[str, ...], *, seed: int, steps: int, lr: float, batch_size: int = 64) -> Learnt:
    """Train a GPT of two blocks on the answers alone."""
    tt.manual_seed(seed)
    whole = rows(names, HELD_OUT + steps * batch_size)
    held_out, training = whole[:HELD_OUT], whole[HELD_OUT:]
    targets = training[:, 1:].copy()
    targets[:, : PROMPT - 1] = IGNORED
    model = tt.nn.GPT(VOCABULARY, 64, num_layers=2, num_heads=4, max_seq_len=PROMPT + LENGTH)
    untrained = float(answered(model, held_out).mean())
    optimizer = tt.optim.AdamW(model.parameters(), lr=lr)
    trainer = tt.train.Trainer(
        model,
        tt.nn.CrossEntropyLoss(axis=-1, ignore_index=IGNORED),
        optimizer,
        tt.optim.OneCycle(optimizer, lr, total_steps=steps),
        clip=1.0,
    )
    history = trainer.fit(tt.data.DataLoader(tt.data.TensorDataset(training[:, :-1], targets), batch_size))
    losses = [float(loss) for loss in history.curve("loss")]
    return Learnt(model, losses, float(answered(model, held_out).all(axis=1).mean()), untrained)
