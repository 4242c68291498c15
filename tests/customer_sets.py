"""Made-up purchases that the tests of customers share."""

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")


def shoppers(n: int, weeks: int, seed: int = 0, r: float = 0.8, alpha: float = 4.0) -> pd.DataFrame:
    """Purchases of customers who join over ten weeks and may leave after each purchase (BG/NBD), with gamma money."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(n):
        rate, leave = rng.gamma(r) / alpha, rng.beta(0.8, 2.5)
        level, at = rng.gamma(4.0, 10.0), 10 * rng.random()
        while at < weeks:
            rows.append((f"C{who}", START + pd.Timedelta(days=int(7 * at)), level * rng.gamma(5.0, 0.2)))
            if rng.random() < leave:
                break
            at += rng.exponential(1 / rate)
    return pd.DataFrame(rows, columns=["customer", "date", "amount"])
