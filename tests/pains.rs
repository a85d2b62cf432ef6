//! The list in `docs/testing.md` of what users of such systems suffer: each row names tests that are there.

use std::path::Path;

/// All sources of tests, as one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_pain_has_tests_that_name_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/testing.md")).expect("the document");
    let mut tests = String::new();
    sources(&root.join("tests"), &mut tests);
    let (_, list) = document.split_once("| pain | tests |\n|---|---|\n").expect("the list");
    let rows: Vec<_> = list.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 17, "pains in the list");
    for row in rows {
        let names: Vec<_> = row.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            assert!(name.contains("pain_"), "{name} does not say which pain it is about");
            assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
}
