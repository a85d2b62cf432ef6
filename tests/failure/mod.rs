//! What is lost, cut, stopped or full.
