"""The relay server of option 4: rendered files, and real programs made from them."""
