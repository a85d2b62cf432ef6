//! Has the program built again when the dashboard was: its files are embedded by name, and names change.

use std::path::Path;

fn main() {
    // A path that is not there would have the program built each time, so until it is, what it comes from is watched.
    let watched = if Path::new("web/dist").exists() { "web/dist" } else { "web" };
    println!("cargo:rerun-if-changed={watched}");
}
