"""``make bench``: what the tool costs, beside what people would use instead, in the same run."""
