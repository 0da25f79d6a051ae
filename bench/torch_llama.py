"""The model of `cairn bench train` in PyTorch, for measuring beside it.

Arguments: vocabulary dim layers heads kv-heads feed-forward tied batch length threads bf16
Prints one line when ready. Then, for every number read from standard input, takes that many training steps
(forward, backward, AdamW) and prints {"seconds": s, "loss": l}: processor time with one thread, wall time with more.
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", sys.argv[10])
import torch
from torch import nn
from torch.nn import functional as F

VOCAB, DIM, LAYERS, HEADS, KV, FFN, TIED, BATCH, LENGTH, THREADS, BF16 = map(int, sys.argv[1:12])
HEAD = DIM // HEADS
torch.set_num_threads(THREADS)
torch.manual_seed(1)

angles = torch.outer(torch.arange(LENGTH).float(), 10000.0 ** (-torch.arange(0, HEAD, 2).float() / HEAD))
COS = torch.cat((angles.cos(), angles.cos()), dim=-1)
SIN = torch.cat((angles.sin(), angles.sin()), dim=-1)
FUTURE = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)


def rotate(x):
    low, high = x.chunk(2, dim=-1)
    return x * COS + torch.cat((-high, low), dim=-1) * SIN


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(DIM))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.gain


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = Norm(), Norm()
        self.qkv = nn.Linear(DIM, (HEADS + 2 * KV) * HEAD, bias=False)
        self.out = nn.Linear(DIM, DIM, bias=False)
        self.gate_up = nn.Linear(DIM, 2 * FFN, bias=False)
        self.down = nn.Linear(FFN, DIM, bias=False)

    def attend(self, x):
        parts = self.qkv(x).view(BATCH, LENGTH, HEADS + 2 * KV, HEAD).transpose(1, 2)
        q, k, v = parts.split((HEADS, KV, KV), dim=1)
        q, k = rotate(q), rotate(k)
        if KV < HEADS:
            k, v = (t.repeat_interleave(HEADS // KV, dim=1) for t in (k, v))
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            y = F.softmax(q @ k.transpose(-2, -1) * HEAD ** -0.5 + FUTURE, dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(BATCH, LENGTH, DIM))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, DIM)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm = Norm()
        self.head = nn.Linear(DIM, VOCAB, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0, 0.02)
        if TIED:
            self.head.weight = self.embedding.weight

    def forward(self, tokens, targets):
        logits = self.head(self.norm(self.layers(self.embedding(tokens))))
        return F.cross_entropy(logits.view(-1, VOCAB), targets.reshape(-1))


model = Llama()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
text = torch.randint(0, VOCAB, (BATCH, LENGTH + 1))
tokens, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous()
clock = time.process_time if THREADS == 1 else time.perf_counter


def step():
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(BF16)):
        loss = model(tokens, targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


step()
print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    start = clock()
    for _ in range(int(line)):
        loss = step()
    print(json.dumps({"seconds": clock() - start, "loss": loss}), flush=True)
