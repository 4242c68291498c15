"""A random two-layer Llama with a small byte-level tokenizer, built in the process: an engine without weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from agent.models.decoding import Decoder
from agent.models.transformers_backend import decoder

_SENTENCES = [
    "We expect a good first season for the kettle, with the first buy before the launch.",
    '<tool_call>{"name":"forecast_launch","arguments":{"product":"Aurora kettle","weeks":12}}</tool_call>',
    "The price is {{price.recommended}} and the floor is {{price.floor}}; 0123456789 三万 units.",
]


@cache
def tiny_tokenizer() -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES * 4, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>")


@cache
def _tiny_llama(context: int) -> Any:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        initializer_range=0.6,
    )
    return LlamaForCausalLM(config).eval()


def tiny_engine(context: int = 2048, **options: Any) -> Decoder:
    """An engine over the random model: what it writes is nonsense, how it writes is the real thing."""
    return decoder(_tiny_llama(context), tiny_tokenizer(), "tiny", **options)


def accepts(tokens: LLTokenizer, grammar: str, text: str) -> bool:
    """Whether a grammar takes a text, whole and at its end."""
    matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(grammar))
    assert not matcher.is_error(), matcher.get_error()
    ids = tokens.tokenize_str(text)
    return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()
