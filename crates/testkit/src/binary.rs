//! The built program, and what it says as JSON.

use std::path::PathBuf;

use serde_json::Value;

/// Returns the path of the built `accession` binary.
///
/// Looks where cargo and nextest say (`CARGO_BIN_EXE_accession`, `NEXTEST_BIN_EXE_accession`, while running), then
/// beside the folder of the running test. Tests of the crate that has the binary should rather use
/// `env!("CARGO_BIN_EXE_accession")`, which also makes cargo build it.
///
/// # Panics
///
/// When it is not there; the message says how to build it.
pub fn accession_bin() -> PathBuf {
    for name in ["CARGO_BIN_EXE_accession", "NEXTEST_BIN_EXE_accession"] {
        if let Some(path) = std::env::var_os(name) {
            return path.into();
        }
    }
    let file = format!("accession{}", std::env::consts::EXE_SUFFIX);
    let test = std::env::current_exe().expect("a running program has a path");
    // target/debug/deps/test-1234, or target/debug/examples/bench.
    let found = test
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "no `{file}` near `{}`: run `cargo build -p accession` first",
            test.display()
        )
    })
}

/// Reads output of one JSON object per line; empty lines are passed over.
///
/// # Panics
///
/// When a line is anything else; the message shows it.
pub fn json_events(output: impl AsRef<[u8]>) -> Vec<Value> {
    let text = String::from_utf8_lossy(output.as_ref());
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let parse = |(index, line): (usize, &str)| match serde_json::from_str::<Value>(line) {
        Ok(event) if event.is_object() => event,
        Ok(_) => panic!("line {} is JSON but no object: {line}", index + 1),
        Err(error) => panic!("line {} is not JSON, {error}: {line}", index + 1),
    };
    lines.map(parse).collect()
}
