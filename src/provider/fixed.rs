//! The containers that are listed in the configuration (`kind = "static"`).
