//! Dependencies point one way: the `use crate::` lines say so.
