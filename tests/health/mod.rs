//! Probes, against targets that misbehave.
