"""The trunks that read sequences, by name: shared by words and steps.

    trunk = TRUNKS["gru"](features=32, width=64)
    trunk(x_BTF, present_BT)                             # (B, trunk.width)

Every trunk takes steps `x_BTF` (B, T, F) float and `present_BT` (B, T) bool, and answers (B, E) float,
where E is its `width`; absent steps change no answer. `parameter_count` takes the same choices as the
trunk itself, those that add no parameters too.
"""

from typing import Any

from preceptor.models.bag import Bag
from preceptor.models.recurrent import GRU, LSTM, RNN
from preceptor.models.sentence_conv import SentenceConv
from preceptor.models.transformer import Transformer

TRUNKS: dict[str, Any] = {
    "bag": Bag,
    "conv": SentenceConv,
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "transformer": Transformer,
}
