//! What an owner may have of the pool.

/// An owner's part in each target type: set on the API key, else in `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many of its tickets are served for each one of an owner of weight 1.
    pub weight: u32,
    /// Most live sessions of one type, with those that wait; none: any number.
    pub sessions_max: Option<u64>,
    /// Most of them that wait; none: any number.
    pub tickets_max: Option<u64>,
}

impl Default for Share {
    fn default() -> Self {
        Self { weight: 1, sessions_max: None, tickets_max: None }
    }
}
