//! Random operations, and what must hold after each.
