"""What `cairn bench sparse` does, in PyTorch: error feedback, exact top-64 of every 4096, four levels, 12-bit places, 2-bit codes, residual.

Arguments: elements threads
Prints {"name": n, "perSecond": elements per second}: median of three after a warm-up; processor time with one thread, wall time with more.
"""
import json
import math
import os
import sys
import time

ELEMENTS, THREADS = int(sys.argv[1]), int(sys.argv[2])
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
import torch

CHUNK, KEEP, LEVELS, RANGE = 4096, 64, 4, 6
torch.set_num_threads(THREADS)
torch.manual_seed(0)
chunks = max(1, ELEMENTS // CHUNK)
delta = torch.randn(chunks, CHUNK) * 1e-3
error = torch.randn(chunks, CHUNK) * 1e-3


def pack_places(places):
    pairs = places.flatten().to(torch.int32).view(-1, 2)
    a, b = pairs[:, 0], pairs[:, 1]
    packed = torch.empty(a.numel() * 3, dtype=torch.uint8)
    packed[0::3] = (a & 255).to(torch.uint8)
    packed[1::3] = ((a >> 8) | ((b & 15) << 4)).to(torch.uint8)
    packed[2::3] = (b >> 4).to(torch.uint8)
    return packed


def quantize(values):
    shift = values.mean()
    centred = values - shift
    scale = RANGE / LEVELS * centred.norm() / math.sqrt(centred.numel() - 1)
    codes = (centred / scale + LEVELS // 2).round().clamp(0, LEVELS - 1).to(torch.uint8)
    places = codes.long().flatten()
    sums = torch.zeros(LEVELS).scatter_add_(0, places, centred.flatten())
    counts = torch.zeros(LEVELS).scatter_add_(0, places, torch.ones(places.numel()))
    return codes, torch.where(counts > 0, sums / counts.clamp(min=1), torch.zeros(LEVELS)) + shift


def once():
    error.add_(delta)
    places = torch.topk(error.abs(), KEEP, dim=-1, sorted=False).indices
    codes, levels = quantize(torch.gather(error, -1, places))
    four = codes.flatten().view(-1, 4)
    packed = four[:, 0] | (four[:, 1] << 2) | (four[:, 2] << 4) | (four[:, 3] << 6)
    packed_places = pack_places(places)
    error.scatter_add_(-1, places, -levels[codes.long()])
    return packed, packed_places


now = time.process_time if THREADS == 1 else time.perf_counter
once()
times = []
for _ in range(3):
    start = now()
    once()
    times.append(now() - start)
print(json.dumps({"name": f"torch {torch.__version__}, the same in its kernels", "perSecond": chunks * CHUNK / sorted(times)[1]}))
