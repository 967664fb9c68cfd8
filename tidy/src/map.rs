//! What ARCHITECTURE.md and the manifests say of crates, rooms and dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("it lies in the repository").to_owned()
}

pub(crate) fn architecture() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there")
}

/// Each crate with its ordinary dependencies, by the names they have in its source.
pub(crate) fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("the crates are there") {
        let file = entry.expect("a folder is listed").path().join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let manifest: toml::Table = text.parse().expect("a manifest is TOML");
        // A library may have another name in code than on crates.io, and code is what this is about.
        let name = manifest
            .get("lib")
            .and_then(|lib| lib.get("name"))
            .unwrap_or(&manifest["package"]["name"])
            .as_str()
            .expect("a package has a name")
            .to_owned();
        let mut dependencies = BTreeSet::new();
        collect(&manifest, &mut dependencies);
        if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
            for target in targets.values().filter_map(toml::Value::as_table) {
                collect(target, &mut dependencies);
            }
        }
        found.insert(name, dependencies);
    }
    assert!(found.len() > 7, "only {} crates were found", found.len());
    found
}

fn collect(table: &toml::Table, into: &mut BTreeSet<String>) {
    if let Some(dependencies) = table.get("dependencies").and_then(toml::Value::as_table) {
        into.extend(dependencies.keys().cloned());
    }
}

pub(crate) fn is_member(dependency: &str) -> bool {
    root().join("crates").join(dependency).is_dir()
}

/// The folder of a crate, as it begins the paths of its sources.
pub(crate) fn folder_of(name: &str) -> String {
    format!("crates/{name}/")
}

/// The block of ARCHITECTURE.md that lists arrows under this heading word.
fn arrows(kind: &str) -> BTreeMap<String, BTreeSet<String>> {
    let document = architecture();
    let begin = format!("```arrows-{kind}\n");
    let block = document
        .split(&begin)
        .nth(1)
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no block `arrows-{kind}`"));
    let block = block.split("```").next().unwrap_or_default();
    block
        .lines()
        .filter_map(|line| line.split_once("->"))
        .map(|(from, to)| {
            let to = to
                .split(',')
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty());
            (from.trim().to_owned(), to.collect())
        })
        .collect()
}

/// `cli -> music, books` as the document has it.
pub(crate) fn crate_arrows() -> BTreeMap<String, BTreeSet<String>> {
    arrows("crates")
}

/// `music::intake -> library` and its like.
pub(crate) fn room_arrows() -> BTreeMap<String, BTreeSet<String>> {
    arrows("rooms")
}

/// Whether the table of dependencies has a line that begins with this one.
pub(crate) fn has_a_reason(document: &str, dependency: &str) -> bool {
    document
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split('|').nth(1))
        .any(|names| {
            names
                .split([',', ' ', '(', ')', '`'])
                .any(|name| name == dependency)
        })
}

/// Every circle between rooms of one crate, as the rooms on it.
pub(crate) fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for start in arrows.keys() {
        let crate_name = start.split("::").next().unwrap_or_default();
        let mut reached = BTreeSet::new();
        let mut open = vec![start.clone()];
        while let Some(at) = open.pop() {
            for next in arrows.get(&at).into_iter().flatten() {
                let next = format!("{crate_name}::{next}");
                if reached.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        if reached.contains(start) {
            found.push(start.clone());
        }
    }
    found
}
