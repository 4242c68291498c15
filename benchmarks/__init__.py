"""How we know it is good: each file measures one promise against rivals and prints one JSON shape."""
