//! Many replicas and clients at once.
