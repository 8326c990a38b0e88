"""What people do about identities: decide, ask why, compare two ways of resolving them."""
