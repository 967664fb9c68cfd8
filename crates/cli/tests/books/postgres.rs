//! A run whose books are on a PostgreSQL server is the same run.

use testkit::grin::{Fault, On};
use testkit::postgres::Postgres;

use crate::support::{World, code, said};

/// What a database holds of a run but for times.
fn outputs(world: &World, more: &[&str]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for form in ["csv", "jsonl"] {
        let args = [
            &["export", "--run-name", "R", "--as", form, "-o", "-"],
            more,
        ]
        .concat();
        let output = world.run(&args);
        assert_eq!(code(&output), 0, "{}", said(&output));
        all.push(without_times(&output.stdout));
    }
    all
}

/// Two runs at two times differ in these alone.
fn without_times(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(at) = rest.find("2026-").or_else(|| rest.find("2027-")) {
        let stamp = rest[at..].split(['"', ',', '\r']).next().unwrap();
        out.push_str(&rest[..at]);
        let is_time = stamp.contains('T') && stamp.len() > 18;
        out.push_str(if is_time { "TIME" } else { stamp });
        rest = &rest[at + stamp.len()..];
    }
    (out + rest).into_bytes()
}

#[test]
fn what_is_exported_from_a_server_is_what_is_exported_from_a_file() {
    let Some(server) = Postgres::shared() else {
        return;
    };
    let url = server.database();
    let size = ["--page-size", "4000"];
    let own = World::new(9_000);
    let served = World::new(9_000);
    for (world, database) in [(&own, &[][..]), (&served, &["--database", &url][..])] {
        // One that stops in the middle of a page, one that fails, and one that goes on.
        let limited = world.collect(&[&size[..], database, &["--limit", "5000"]].concat());
        assert_eq!(code(&limited), 0, "{}", said(&limited));
        world
            .grin
            .fail(On::Page(8_000), Fault::Status(500, None), 1);
        let failed = world.collect(&["--page-size", "4000", "--retries", "0"]);
        assert_eq!(code(&failed), 1, "{}", said(&failed));
        let collected = world.collect(&size);
        assert_eq!(code(&collected), 0, "{}", said(&collected));
        let enrich = ["enrich", "--run-name", "R", "--rate-limit", "0"];
        let enriched = world.run(&enrich);
        assert_eq!(code(&enriched), 0, "{}", said(&enriched));
        let refreshed = world.collect(&["--refresh"]);
        assert_eq!(code(&refreshed), 0, "{}", said(&refreshed));
        let again = world.run(&[&enrich[..], &["--reset", "--limit", "3000"]].concat());
        assert_eq!(code(&again), 0, "{}", said(&again));
    }
    let (ours, theirs) = (outputs(&own, &[]), outputs(&served, &[]));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!(ours.len() > 1_000_000, "{} bytes", ours.len());
        let differ = ours
            .iter()
            .zip(theirs)
            .position(|(ours, theirs)| ours != theirs);
        assert!(ours == theirs, "they differ from byte {differ:?} on");
    }
    assert!(!served.directory().join("books.db").exists());
    for command in ["status", "check", "report"] {
        let told = |world: &World| {
            let output = world.run(&[command, "--run-name", "R"]);
            assert_eq!(code(&output), 0, "{}", said(&output));
            let text = said(&output);
            let lines = text
                .lines()
                .filter(|line| !line.starts_with("database") && !line.contains("a second"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(told(&own), told(&served), "{command}");
    }
}
