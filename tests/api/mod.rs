//! The HTTP API, through the real binary.
