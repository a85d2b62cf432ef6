//! Wires the parts of a replica together, supervises them and ends them.
