//! Holds the rules that ARCHITECTURE.md states and a compiler does not: what may happen in which room.
//!
//! The map itself is read from ARCHITECTURE.md, so the document and the code cannot part.

#![cfg(test)]

mod counted;
mod map;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::Source;

/// Where statements may stand, as beginnings of paths.
const WINGS: [&str; 3] = [
    "crates/sqlite/src/",
    "crates/music/src/library",
    "crates/books/src/catalogue",
];

/// Where a thread, a task or a runtime may be started, each with its reason.
const STARTERS: [(&str, &str); 29] = [
    ("crates/run/src/pool.rs", "the workers of a job"),
    (
        "crates/music/src/heard/collect/batch.rs",
        "who reads records while others are written",
    ),
    ("crates/sqlite/src/db.rs", "the one writer thread"),
    (
        "crates/sqlite/src/writer/copier.rs",
        "what it wrote is copied to the file while it writes on",
    ),
    (
        "crates/audio/src/decode/ffmpeg/child.rs",
        "ffmpeg, a child for each file",
    ),
    (
        "crates/audio/src/decode/ffmpeg/pipe.rs",
        "what ffmpeg writes, on Windows, where a pipe cannot be waited for with a limit",
    ),
    (
        "crates/blob/src/local.rs",
        "file system calls, beside the network's thread",
    ),
    (
        "crates/blob/src/upload.rs",
        "digests of parts, beside the network's thread",
    ),
    ("crates/music/src/job", "identification beside an import"),
    (
        "crates/music/src/views/similar.rs",
        "numbers are read from text beside the disk",
    ),
    (
        "crates/music/src/identify.rs",
        "the runtime that asks services",
    ),
    (
        "crates/music/src/heard/place.rs",
        "the runtime that carries files and records from and to stores",
    ),
    (
        "crates/books/src/wait.rs",
        "the runtime of a command on books",
    ),
    (
        "crates/books/src/catalogue/server",
        "the runtime that drives a server's connections, and its one writer",
    ),
    (
        "crates/books/src/collect/fetch.rs",
        "a page is read beside its arrival",
    ),
    (
        "crates/books/src/decrypt.rs",
        "`gpg`, and what it says on its standard error",
    ),
    (
        "crates/books/src/enrich.rs",
        "answers that are waited for at once",
    ),
    (
        "crates/books/src/grin/pace.rs",
        "waits for the lock of a file that other commands hold, too",
    ),
    (
        "crates/books/src/shelf.rs",
        "the runtime that asks the store",
    ),
    (
        "crates/books/src/sync.rs",
        "the runtime of a sync, and each book in the air",
    ),
    (
        "crates/books/src/sync/book.rs",
        "decryption and reading, beside the network's threads",
    ),
    (
        "crates/books/src/sync/book/store.rs",
        "packing, beside the network's threads",
    ),
    (
        "crates/books/src/verify.rs",
        "the runtime of a look at what is stored",
    ),
    (
        "crates/server/src/listen.rs",
        "the runtime of a server, and each connection",
    ),
    ("crates/server/src/jobs.rs", "the import that is under way"),
    (
        "crates/server/src/work.rs",
        "what blocks, beside the network's threads",
    ),
    ("crates/cli/src/commands/serve.rs", "a browser"),
    ("crates/cli/src/signals.rs", "the thread that signals wake"),
    ("crates/cli/src/progress.rs", "the bars"),
];

/// Where the terminal may be spoken to.
const PRINTERS: [&str; 4] = [
    "crates/cli/src/printer.rs",
    "crates/cli/src/printer/",
    "crates/cli/src/lib.rs",
    // Copies the descriptor where a person names one as an output.
    "crates/run/src/output/place.rs",
];

/// Dependencies that no word of the source names, each with its reason.
const UNNAMED: [(&str, &str); 1] = [
    // Chooses, for the client within `object_store`, TLS without a provider of its own.
    ("blob", "reqwest"),
];

/// Crates that only tests and benchmarks use; they may print and hold statements of their own.
const HELPERS: [&str; 2] = ["crates/testkit/", "crates/bench/"];

const MOST_LINES_OF_A_FILE: usize = 600;
const MOST_LINES_OF_A_FUNCTION: usize = 80;

fn in_program(path: &str) -> bool {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    path.contains("/src/") && !is_test && !HELPERS.iter().any(|helper| path.starts_with(helper))
}

fn sources() -> Vec<Source> {
    let sources = source::all();
    assert!(
        sources.len() > 200,
        "only {} files were found",
        sources.len()
    );
    sources
}

/// Fails with all that was found, one line each.
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn statements_stand_only_in_the_library_wings() {
    let verbs = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ", "PRAGMA ",
        "REPLACE ", "WITH ", "ATTACH ", "VACUUM",
    ];
    let mut found = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| in_program(&source.path)) {
        let is_wing = WINGS.iter().any(|wing| source.path.starts_with(wing));
        for (line, text) in source.texts() {
            if verbs.iter().any(|verb| text.trim_start().starts_with(verb)) {
                seen += 1;
                if !is_wing {
                    found.push(format!("{}:{line}: {}", source.path, text.trim_start()));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} statements were recognised");
    assert_none("statements outside the library wings", &found);
}

#[test]
fn threads_and_runtimes_start_only_where_the_list_says() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources().iter().filter(|source| in_program(&source.path)) {
        for line in source.starts() {
            match STARTERS
                .iter()
                .find(|(place, _)| source.path.starts_with(place))
            {
                Some((place, _)) => {
                    used.insert(*place);
                }
                None => found.push(format!("{}:{line}", source.path)),
            }
        }
    }
    assert_none("threads started outside the named places", &found);
    let unused: Vec<_> = STARTERS
        .iter()
        .filter(|(place, _)| !used.contains(place))
        .map(|(place, reason)| format!("{place} ({reason})"))
        .collect();
    assert_none("places in the list where nothing is started", &unused);
}

#[test]
fn only_the_printer_speaks_to_the_terminal() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| in_program(&source.path)) {
        if !PRINTERS.iter().any(|place| source.path.starts_with(place)) {
            found.extend(
                source
                    .prints()
                    .map(|line| format!("{}:{line}", source.path)),
            );
        }
    }
    assert_none("prints outside the printer", &found);
}

#[test]
fn libraries_name_no_command_and_no_flag() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| in_program(&source.path)) {
        if source.path.starts_with("crates/cli/") {
            continue;
        }
        for (line, text) in source.texts() {
            let names_a_command =
                text.contains("accession music") || text.contains("accession books");
            // A flag that stands alone is an argument for another program.
            let names_a_flag = text.trim().contains(' ') && source::names_a_flag(&text);
            if names_a_command || names_a_flag {
                found.push(format!("{}:{line}: {text}", source.path));
            }
        }
    }
    assert_none("text in a library that names a command or a flag", &found);
}

#[test]
fn crates_depend_only_as_the_map_says() {
    let allowed = map::crate_arrows();
    let mut found = Vec::new();
    for (name, dependencies) in map::manifests() {
        let Some(allowed) = allowed.get(&name) else {
            found.push(format!("`{name}` is not in the map"));
            continue;
        };
        let real: BTreeSet<_> = dependencies
            .iter()
            .filter(|one| map::is_member(one))
            .cloned()
            .collect();
        found.extend(
            real.difference(allowed)
                .map(|to| format!("{name} -> {to} is not in the map")),
        );
        found.extend(
            allowed
                .difference(&real)
                .map(|to| format!("{name} -> {to} is in the map only")),
        );
    }
    assert_none("arrows between crates", &found);
}

#[test]
fn rooms_use_each_other_only_as_the_map_says() {
    let allowed = map::room_arrows();
    assert!(allowed.len() > 8, "the map of rooms was not understood");
    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for source in sources().iter().filter(|source| in_program(&source.path)) {
        let Some((crate_name, room)) = source.room() else {
            continue;
        };
        for (line, other) in source.rooms_used() {
            if other != room {
                let from = format!("{crate_name}::{room}");
                places
                    .entry((from.clone(), other.clone()))
                    .or_insert_with(|| format!("{}:{line}", source.path));
                real.entry(from).or_default().insert(other);
            }
        }
    }
    let mut found = Vec::new();
    for (from, to) in &allowed {
        for other in to {
            if !real.get(from).is_some_and(|real| real.contains(other)) {
                found.push(format!("{from} -> {other} is in the map only"));
            }
        }
    }
    for ((from, other), place) in &places {
        let crate_name = from.split("::").next().unwrap_or_default();
        let is_mapped = allowed
            .keys()
            .any(|room| room.split("::").next() == Some(crate_name));
        if is_mapped && !allowed.get(from).is_some_and(|to| to.contains(other)) {
            found.push(format!("{from} -> {other} is not in the map ({place})"));
        }
    }
    assert_none("arrows between rooms", &found);
    // The small crates draw no map of their rooms, and have no circles either.
    assert_none("circles between rooms", &map::circles(&real));
}

/// A stage never touches the database, and this is a fact of Cargo: tests of `audio` run without SQLite, too.
#[test]
fn no_stage_has_a_database_in_its_tree() {
    let words = "tree --package audio --edges normal,build,dev --prefix none --locked";
    let tree = counted::cargo(&map::root(), words);
    assert!(tree.contains("symphonia"), "no tree at all: {tree}");
    let found: Vec<_> = tree
        .lines()
        .filter(|line| line.contains("sqlite"))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_dependency_is_used() {
    let sources = sources();
    let mut found = Vec::new();
    for (name, dependencies) in map::manifests() {
        let folder = map::folder_of(&name);
        for dependency in dependencies {
            let ident = match dependency.as_str() {
                "md-5" => "md5".to_owned(),
                other => other.replace('-', "_"),
            };
            // In attributes and macros, too, so the plain text is asked.
            let is_used = sources
                .iter()
                .filter(|source| source.path.starts_with(&folder))
                .any(|source| source.has_word(&ident));
            if !is_used && !UNNAMED.contains(&(name.as_str(), dependency.as_str())) {
                found.push(format!("{name}: {dependency}"));
            }
        }
    }
    assert_none("dependencies that nothing uses", &found);
}

#[test]
fn files_and_functions_are_short() {
    let mut found = Vec::new();
    for source in &sources() {
        let lines = source.text.lines().count();
        if lines > MOST_LINES_OF_A_FILE {
            found.push(format!("{}: {lines} lines", source.path));
        }
        for (name, lines) in source.functions() {
            if lines > MOST_LINES_OF_A_FUNCTION {
                found.push(format!("{}: `{name}` has {lines} lines", source.path));
            }
        }
    }
    assert_none("too long", &found);
}

#[test]
fn no_plan_or_issue_number_stands_in_the_source() {
    let mut found = Vec::new();
    for source in &sources() {
        for (at, line) in source.text.lines().enumerate() {
            if source::has_a_plan_number(line) {
                found.push(format!("{}:{}: {}", source.path, at + 1, line.trim()));
            }
        }
    }
    assert_none("numbers of plans or issues", &found);
}

#[test]
fn the_architecture_names_every_crate_and_every_dependency_of_ours() {
    let document = map::architecture();
    let mut found = Vec::new();
    for (name, dependencies) in map::manifests() {
        if !document.contains(&format!("{name}/")) {
            found.push(format!("crate `{name}` is not in ARCHITECTURE.md"));
        }
        if HELPERS
            .iter()
            .any(|helper| map::folder_of(&name).starts_with(helper))
        {
            continue;
        }
        for dependency in dependencies.iter().filter(|one| !map::is_member(one)) {
            if !map::has_a_reason(&document, dependency) {
                found.push(format!(
                    "{name}: `{dependency}` has no reason in ARCHITECTURE.md"
                ));
            }
        }
    }
    found.sort();
    found.dedup();
    assert_none("what ARCHITECTURE.md does not tell", &found);
}

#[test]
fn the_architecture_says_what_unsafe_code_is_for() {
    let text = std::fs::read_to_string(map::root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## Unsafe code\n").nth(1).unwrap();
    let rows = section.split("\n## ").next().unwrap().lines();
    let mut told = BTreeMap::new();
    for row in rows.filter(|row| row.starts_with("| ")).skip(1) {
        let crates = row.split('|').nth(2).unwrap();
        for one in crates.split(',').map(str::trim) {
            let (name, count) = one.rsplit_once(' ').unwrap();
            told.insert(name.to_owned(), count.parse::<usize>().unwrap());
        }
    }
    let counted = counted::unsafe_words(&map::root());
    let new: Vec<_> = counted
        .iter()
        .filter(|(name, count)| told.get(*name) != Some(count))
        .collect();
    let gone: Vec<_> = told
        .keys()
        .filter(|name| !counted.contains_key(*name))
        .collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "another number, or no reason yet: {new:?}; named without need: {gone:?}"
    );
}
