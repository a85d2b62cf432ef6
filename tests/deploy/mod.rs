//! What is deployed on Kubernetes: the chart, and the plain manifests that are rendered from it.

mod bundled;
mod chart;
mod docs;
mod manifest;
mod plain;
mod promises;
mod settings;

use std::path::{Path, PathBuf};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
