"""A small LSTM over all series (torch, loaded only when it is called)."""

from __future__ import annotations

import numpy as np

from tools.demand.panel import Array, Panel
from tools.demand.series import filled, pooled_season, recent_level

_WINDOW = 26
_WIDTH = 24
_MOST = 4000  # windows to learn from


def lstm(panel: Panel, horizon: int, epochs: int = 8, seed: int = 0) -> Array:
    """Units ahead (N, H) from an LSTM on the last half year of each series, season taken out, in recent levels.

    One layer, direct multi-step output, absolute loss: the smallest form of the network in Salinas et al. 2020. Series
    too short for a window keep their recent level.
    """
    import torch

    periods = panel.units.shape[1]
    season = pooled_season(panel, horizon)
    series = filled(panel, season[:, :periods])
    level = np.repeat(recent_level(panel)[:, None], horizon, axis=1)
    x, y = _windows(series, horizon)
    if len(x) < 50:
        return level
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(x))[:_MOST]
    body, head = torch.nn.LSTM(1, _WIDTH, batch_first=True), torch.nn.Linear(_WIDTH, horizon)
    learn = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=5e-3)
    inputs, targets = torch.tensor(x[chosen]), torch.tensor(y[chosen])
    for _ in range(epochs):
        for part in torch.split(torch.randperm(len(inputs)), 128):
            _, (state, _) = body(inputs[part].unsqueeze(-1))
            loss = (head(state[-1]) - targets[part]).abs().mean()
            learn.zero_grad()
            loss.backward()
            learn.step()
    rows = [i for i, s in enumerate(series) if len(s) >= _WINDOW]
    last = np.stack([series[i][-_WINDOW:] for i in rows]).astype(np.float32)
    scale = np.maximum(last.mean(axis=1, keepdims=True), 0.01)
    with torch.no_grad():
        _, (state, _) = body(torch.tensor(last / scale).unsqueeze(-1))
        made = head(state[-1]).numpy() * scale
    level[rows] = made
    return np.asarray((level * np.exp(season[:, periods:])).clip(min=0))


def _windows(series: list[Array], horizon: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = [], []
    for values in series:
        for end in range(len(values) - horizon, _WINDOW - 1, -max(1, horizon // 2)):
            before = values[end - _WINDOW : end]
            scale = max(before.mean(), 0.01)
            x.append(before / scale)
            y.append(np.minimum(values[end : end + horizon] / scale, 8.0))
    if not x:
        return np.zeros((0, _WINDOW), dtype=np.float32), np.zeros((0, horizon), dtype=np.float32)
    return np.stack(x).astype(np.float32), np.stack(y).astype(np.float32)
