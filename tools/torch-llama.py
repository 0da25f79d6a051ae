"""A plain Llama in PyTorch, written from its description and not from Cairn's code: what Cairn's numbers are held against.

    python3 tools/torch-llama.py MODEL_FOLDER TOKENS.json OUT_FOLDER

MODEL_FOLDER is in the layout of Hugging Face (config.json, model.safetensors or shards with an index); TOKENS.json a list of ids. Writes to OUT_FOLDER:
logits.bin, fp32 [tokens - 1, vocabulary], after all but the last token; loss.txt, the mean loss in nats; and NAME.grad for each parameter, its gradient in fp32.
"""
import json
import math
import pathlib
import struct
import sys

import torch


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    head = json.loads(data[8:8 + length])
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    for name, entry in head.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=types[entry["dtype"]])
            yield name, values.to(torch.float32).reshape(entry["shape"]).clone().requires_grad_()


def frequencies(config, width):
    theta = config.get("rope_theta", 10000.0)
    inverse = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    scaling = config.get("rope_scaling")
    if not scaling:
        return inverse
    if scaling["rope_type"] == "linear":
        return inverse / scaling["factor"]
    low, high, original = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["original_max_position_embeddings"]
    turns = original * inverse / (2 * math.pi)
    blend = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - blend) * inverse / scaling["factor"] + blend * inverse


def rotate(x, angles):
    # [heads, tokens, width]: halves turn together.
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def norm(x, gain, epsilon):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * gain


def forward(p, config, tokens):
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width, epsilon = config["head_dim"], config["rms_norm_eps"]
    angles = torch.arange(len(tokens), dtype=torch.float64)[:, None] * frequencies(config, width)[None, :]
    mask = torch.full((len(tokens), len(tokens)), -math.inf).triu(1)
    x = p["model.embed_tokens.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        def of(name):
            return p[f"model.layers.{layer}.{name}.weight"]

        h = norm(x, of("input_layernorm"), epsilon)
        q, k, v = (
            (h @ of(f"self_attn.{name}_proj").T).reshape(len(tokens), count, width).transpose(0, 1)
            for name, count in (("q", heads), ("k", kv_heads), ("v", kv_heads)))
        k, v = (t.repeat_interleave(heads // kv_heads, dim=0) for t in (rotate(k, angles), v))
        scores = rotate(q, angles) @ k.transpose(1, 2) / math.sqrt(width) + mask
        attended = (scores.softmax(-1) @ v).transpose(0, 1).reshape(len(tokens), heads * width)
        x = x + attended @ of("self_attn.o_proj").T
        h = norm(x, of("post_attention_layernorm"), epsilon)
        x = x + (torch.nn.functional.silu(h @ of("mlp.gate_proj").T) * (h @ of("mlp.up_proj").T)) @ of("mlp.down_proj").T
    head = p["model.embed_tokens.weight"] if config["tie_word_embeddings"] else p["lm_head.weight"]
    return norm(x, p["model.norm.weight"], epsilon) @ head.T


def main():
    folder, tokens_path, out = map(pathlib.Path, sys.argv[1:4])
    config = json.loads((folder / "config.json").read_text())
    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    parameters = {name: values for file in files for name, values in read_safetensors(folder / file)}
    tokens = torch.tensor(json.loads(tokens_path.read_text()))
    logits = forward(parameters, config, tokens[:-1])
    loss = torch.nn.functional.cross_entropy(logits, tokens[1:])
    loss.backward()
    out.mkdir(parents=True, exist_ok=True)

    def write(name, values):
        flat = values.detach().flatten().tolist()
        (out / name).write_bytes(struct.pack(f"<{len(flat)}f", *flat))

    write("logits.bin", logits)
    (out / "loss.txt").write_text(repr(loss.item()))
    for name, values in parameters.items():
        write(name + ".grad", values.grad)


main()
