//! Counts where the word `unsafe` stands in the crates that the program is made of.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// How often the word stands in each crate of the program's own tree on this system, procedural macros aside: name and
/// number, summed over versions; only those that have it.
pub(crate) fn unsafe_words(root: &Path) -> BTreeMap<String, usize> {
    let manifests = manifests(&cargo(root, "metadata --locked --format-version 1"));
    let listed = cargo(
        root,
        "tree -p accession -e normal,no-proc-macro --locked --prefix none --format {p} --target x86_64-unknown-linux-gnu",
    );
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.trim_start_matches('v')))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    for (name, version) in names {
        let Some(folder) = manifests.get(&format!("{name}-{version}")) else {
            continue;
        };
        let count = in_folder(&Path::new(folder).join("src"));
        if count > 0 {
            *counted.entry(name.to_owned()).or_default() += count;
        }
    }
    counted
}

/// What cargo says when it is called with these words in `root`.
pub(crate) fn cargo(root: &Path, words: &str) -> String {
    let ran = Command::new(env!("CARGO"))
        .args(words.split(' '))
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cargo {words}: {said}");
    String::from_utf8(ran.stdout).expect("cargo writes text")
}

/// The folders of packages from the registry, by name and version.
fn manifests(metadata: &str) -> BTreeMap<String, String> {
    let paths = metadata.split("\"manifest_path\":\"").skip(1);
    paths
        .filter_map(|rest| rest.split('"').next()?.strip_suffix("/Cargo.toml"))
        .filter(|folder| folder.contains("/registry/src/"))
        .filter_map(|folder| Some((folder.rsplit('/').next()?.to_owned(), folder.to_owned())))
        .collect()
}

fn in_folder(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let mut count = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            count += in_folder(&path);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read(&path).unwrap_or_default();
            count += in_text(&text);
        }
    }
    count
}

/// How often the word stands in code; comments of one line are none of it.
fn in_text(text: &[u8]) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let lines = text.split(|byte| *byte == b'\n').map(|line| {
        let comment = line.windows(2).position(|two| two == b"//");
        &line[..comment.unwrap_or(line.len())]
    });
    lines
        .map(|line| {
            line.windows(6)
                .enumerate()
                .filter(|(at, six)| {
                    *six == b"unsafe"
                        && !at
                            .checked_sub(1)
                            .is_some_and(|before| is_word(line[before]))
                        && !line.get(at + 6).copied().is_some_and(is_word)
                })
                .count()
        })
        .sum()
}

#[test]
fn the_word_is_counted_where_it_is_code() {
    let text = b"unsafe { a() } // unsafe\n#![forbid(unsafe_code)]\nunsafe impl Send for A {}\n";
    assert_eq!(in_text(text), 2);
}
