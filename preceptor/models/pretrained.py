"""What others have learnt from millions of pictures or texts, as a trunk (textbook A17, P10).

A folder that the `transformers` library has written (`save_pretrained`) holds an encoder: config.json
and model.safetensors. It is read from the disk, or from the cache that the library keeps, and never
fetched; no code that lies in it is run. The extra `preceptor[pretrained]` brings the library.

    trunk = PretrainedPicture("vit-base-patch16-224", channels=3)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, trunk.width)

*Frozen*, it only describes, and a last layer learns from few examples; otherwise it learns on
("fine-tuning"), in steps as small as is usual (Devlin et al., 2019), whatever the plan's learning rate
for nets that know nothing yet, and without weight decay, since it does not come from zero (Li et al., 2018).
`configuration` makes the same module again without the folder, its weights then coming from wherever
they were saved.

Shapes: B rows, C channels, H height, W width, L tokens, E features.
"""

import importlib
import json
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from preceptor.errors import Mistake
from preceptor.models.bag import mean_present

Source = str | Path | dict[str, Any]
LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
FAMILIES = {"pixel_values": "picture", "input_ids": "tokens"}
"""Shape families, by what the library calls such an input."""


class Pretrained(nn.Module):
    """An encoder under the laws of a trunk.

    `source` is a folder, a name in the library's cache, or an earlier one's `configuration`; `reads` is
    what the library calls the input. `rate` is the factor on the learning rate.
    """

    rate: ClassVar[float] = 1.0

    def __init__(self, source: Source, reads: str, *, frozen: bool = True):
        super().__init__()
        self.frozen = frozen
        self.encoder: Any = _made(source) if isinstance(source, dict) else _opened(str(source))
        self.configuration = _described(self.encoder.config)
        if self.encoder.config.is_encoder_decoder:
            self.encoder = self.encoder.get_encoder()
        if self.encoder.main_input_name != reads:
            raise Mistake(
                "pretrained-other-input",
                f"The pretrained model reads {self.encoder.main_input_name}, not {reads}.",
                where=self.configuration["model_type"] if isinstance(source, dict) else str(source),
                todo="Choose an encoder of pictures for pictures and one of texts for texts.",
            )
        self.encoder.requires_grad_(not frozen)
        pooler = getattr(self.encoder, "pooler", None)
        if isinstance(pooler, nn.Module) and any(True for _ in pooler.parameters()):
            self.encoder.pooler = nn.Identity()  # it belongs to the first training, and is not asked here
        for module in self.encoder.modules():
            module.learning = {name: (self.rate, 0.0) for name, _ in module.named_parameters(recurse=False)}

    def train(self, mode: bool = True) -> Self:
        """A frozen encoder stays in eval mode: no dropout, no new means and variances."""
        return super().train(mode and not self.frozen)

    @torch.no_grad()
    def _width(self, *example: Tensor) -> int:
        """How many features it gives: asked, since every family has another name for the number."""
        width = self.eval()(*example).shape[1]
        self.train()
        return width


class PretrainedPicture(Pretrained):
    """A pretrained encoder of pictures of so many `channels`; features are the mean over its last map.

    Pictures come as for every trunk, with mean 0 and variance 1 or so, which is what such encoders were
    trained on. They are stretched to the size that the encoder knows, if it knows but one; grey ones
    get three equal channels.
    """

    rate = 1 / 300  # 1e-4, where small nets for pictures learn at 0.03

    def __init__(self, source: Source, channels: int, *, frozen: bool = True):
        super().__init__(source, "pixel_values", frozen=frozen)
        self.channels = self.encoder.config.num_channels
        self.size = getattr(self.encoder.config, "image_size", None)
        self.width = self._width(torch.zeros(1, channels, 32, 32))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, E)."""
        if x_BCHW.shape[1] != self.channels:
            x_BCHW = x_BCHW.mean(1, keepdim=True).expand(-1, self.channels, -1, -1)
        if self.size:
            x_BCHW = functional.interpolate(x_BCHW, self.size, mode="bilinear")
        found = self.encoder(x_BCHW).last_hidden_state
        return found.mean((2, 3)) if found.ndim == 4 else found.mean(1)


class PretrainedText(Pretrained):
    """A pretrained encoder of texts; features are the mean over the tokens that are present.

    The ids are those of the encoder's own tokenizer: another one's would be another language. What is
    longer than the encoder can read is cut off at the end.
    """

    rate = 1 / 40  # 5e-5, where small nets for texts learn at 0.002

    def __init__(self, source: Source, *, frozen: bool = True):
        super().__init__(source, "input_ids", frozen=frozen)
        config = self.encoder.config
        self.padding = getattr(config, "pad_token_id", None) or 0
        places = getattr(config, "max_position_embeddings", None)
        self.longest = places - 2 if places else None  # some families keep two places for themselves
        self.width = self._width(torch.ones(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.bool))

    def forward(self, ids_BL: Tensor, present_BL: Tensor) -> Tensor:
        """Features, (B, E); zeros for a text without a token."""
        ids_BL, present_BL = ids_BL[:, : self.longest], present_BL[:, : self.longest]
        ids_BL = ids_BL.long().masked_fill(~present_BL, self.padding)
        found_BLE = self.encoder(input_ids=ids_BL, attention_mask=present_BL.long()).last_hidden_state
        return mean_present(found_BLE, present_BL)


def family_read(source: str | Path) -> str | None:
    """The family of shapes that a pretrained encoder reads; None for one that is not at home here."""
    library = _library()
    try:
        config = library.AutoConfig.from_pretrained(str(source), **LOCAL)
        encoder = library.MODEL_MAPPING[type(config)]
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(str(source), str(error).strip().partition("\n")[0]) from error
    one = encoder[0] if isinstance(encoder, tuple) else encoder
    return FAMILIES.get(one.main_input_name)


def _library() -> Any:
    """The `transformers` library, if it is installed, told to speak of errors only."""
    try:
        library = importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        raise Mistake(
            "pretrained-extra",
            "Pretrained encoders need a library that is not installed.",
            why=str(error),
            todo="pip install 'preceptor[pretrained]'",
        ) from error
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    return library


def _made(configuration: dict[str, Any]) -> Any:
    """An encoder as described, its weights drawn at random: saved ones are to be loaded into it."""
    library = _library()
    return library.AutoModel.from_config(library.AutoConfig.for_model(**configuration))


def _opened(source: str) -> Any:
    """The encoder with the weights that lie in the folder: all of them, or it is a mistake."""
    library = _library()
    safe = {**LOCAL, "use_safetensors": True, "output_loading_info": True}
    try:
        encoder, loaded = library.AutoModel.from_pretrained(source, **safe)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise _unreadable(source, str(error).strip().partition("\n")[0]) from error
    if missing := sorted(name for name in loaded["missing_keys"] if not name.startswith("pooler.")):
        raise _unreadable(source, f"Weights are missing: {', '.join(missing[:3])}.")
    return encoder.float()


def _unreadable(source: str, why: str) -> Mistake:
    return Mistake(
        "pretrained-unreadable",
        "There is no pretrained encoder here that can be read.",
        where=source,
        why=why,
        todo="Give a folder that holds config.json and model.safetensors; nothing is ever downloaded.",
    )


def _described(config: Any) -> dict[str, Any]:
    """The configuration as JSON, without the place it was read from."""
    described = json.loads(config.to_json_string(use_diff=False))
    return {key: value for key, value in described.items() if not key.startswith("_")}
