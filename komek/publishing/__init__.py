"""Publications, packs, and what people are told of them."""
