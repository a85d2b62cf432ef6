//! The one integration binary: a module for each subject.

mod api;
mod cli;
mod common;
mod compose;
mod concurrency;
mod deploy;
mod discovery;
mod events;
mod failure;
mod health;
mod kubernetes;
mod layers;
mod monitoring;
mod pains;
mod recycle;
mod scale;
mod scripts;
mod security;
mod topology;
mod torture;
#[path = "torture/tests/mod.rs"]
mod torture_tests;
mod upgrade;
mod viewers;
