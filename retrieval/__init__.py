"""What was written: products, reviews and policies, as cited passages found by words and by meaning."""
