"""Parameters → a SPICE model that says where each of its numbers comes from, and how far simulation agrees."""
