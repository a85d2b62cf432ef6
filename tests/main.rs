//! The one integration binary: a module for each subject.

mod common;
mod scripts;
