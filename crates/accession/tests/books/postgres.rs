//! A run whose books are on a PostgreSQL server is the same run.

use std::thread::sleep;
use std::time::{Duration, Instant};

use testkit::grin::{Fault, On};
use testkit::postgres::Postgres;

use crate::support::{COLLECT, World, code, files, said};

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
    for world in [&own, &served] {
        // A book is listed twice on one page, and its second title is not the first one.
        world.grin.change_pages(|page| {
            let Some(begin) = page.find("<tr><td><input") else {
                return page;
            };
            let end = begin + page[begin..].find("</tr>").unwrap() + 5;
            let mut again = page[begin..end].to_owned();
            let title = again.match_indices("</td><td>").nth(1).unwrap().0;
            again.insert_str(title + 9, "Again ");
            format!("{}{again}{}", &page[..end], &page[end..])
        });
    }
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
    copied_there_and_back(&served, &server.database(), &theirs);
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

/// The run moves to another database and into its file, which other tools know, and stays the same.
fn copied_there_and_back(world: &World, other: &str, outputs_before: &[Vec<u8>]) {
    let copy = ["db", "copy", "--run-name", "R", "--to"];
    let first = world.run(&[&copy[..], &[other]].concat());
    assert_eq!(code(&first), 0, "{}", said(&first));
    assert!(outputs(world, &["--database", other]) == outputs_before);
    let twice = world.run(&[&copy[..], &[other]].concat());
    assert_eq!(code(&twice), 2, "{}", said(&twice));
    assert!(
        said(&twice).contains("holds a run already"),
        "{}",
        said(&twice)
    );
    let config = world.directory().join("run_config.json");
    let settings = std::fs::read_to_string(&config).unwrap();
    let back = world.run(
        &[
            &copy[..],
            &["output/R/books.db", "--move", "--database", other],
        ]
        .concat(),
    );
    assert_eq!(code(&back), 0, "{}", said(&back));
    assert!(
        !std::fs::read_to_string(&config)
            .unwrap()
            .contains("postgres")
    );
    assert!(outputs(world, &[]) == outputs_before);
    assert_eq!(world.stored().len(), 9_000, "as other tools read it");
    // And it is on its server again.
    std::fs::remove_file(world.directory().join("books.db")).unwrap();
    std::fs::write(&config, settings).unwrap();
}

/// The password of the address; the server of the tests does not ask for it.
const PASSWORD: &str = "open-sesame";

#[test]
fn a_collection_outlives_its_server_and_its_process_and_is_one_at_a_time() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let url = server.database();
    let secret = url.replace("tester@", &format!("tester:{PASSWORD}@"));
    let world = World::new(24_000);
    world.grin.set_latency(Duration::from_millis(250));
    let collect = [&COLLECT[..], &["--page-size", "2000", "-v"]].concat();
    let spawn = || {
        let mut out = std::fs::File::options();
        out.create(true).append(true);
        let out = out.open(world.folder.path().join("told")).unwrap();
        world
            .command(&collect)
            .env("ACCESSION_BOOKS_DATABASE", &secret)
            .env_remove("ACCESSION_LOG")
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap()
    };
    let count = |sql: &str| {
        let rows = server.rows(&url, sql);
        rows.first()
            .map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let books = || {
        let has_table = count(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'accession_R' AND tablename = 'books'",
        );
        if has_table == 0 {
            0
        } else {
            count("SELECT count(*) FROM \"accession_R\".books")
        }
    };
    let until = |enough: u64| {
        let begun = Instant::now();
        while books() < enough {
            let told = std::fs::read_to_string(world.folder.path().join("told")).unwrap();
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{} books: {told}",
                books()
            );
            sleep(Duration::from_millis(20));
        }
    };
    let mut first = spawn();
    until(1);
    others_are_refused(&url);
    // Killed, it goes on at once where it was started before.
    first.kill().unwrap();
    first.wait().unwrap();
    let so_far = books();
    let mut again = spawn();
    until(so_far + 2_000);
    server.kill();
    sleep(Duration::from_millis(700));
    server.begin();
    let told = || std::fs::read_to_string(world.folder.path().join("told")).unwrap();
    assert_eq!(again.wait().unwrap().code(), Some(0), "{}", told());
    assert_eq!(books(), 24_000);
    let pages = server.rows(
        &url,
        "SELECT number FROM \"accession_R\".accession_page ORDER BY number",
    );
    let numbers: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
    assert_eq!(pages, numbers);

    the_password_is_nowhere(&world, &secret, told());
}

/// The same from another machine, and another library under the same name.
fn others_are_refused(url: &str) {
    let elsewhere = World::new(10);
    let second = elsewhere.collect(&["--database", url]);
    assert_eq!(code(&second), 2, "{}", said(&second));
    assert!(
        said(&second).contains("another session is running"),
        "{}",
        said(&second)
    );
    let mut args = COLLECT.map(str::to_owned);
    "Other".clone_into(&mut args[4]);
    let third = World::new(10)
        .command(&[])
        .args(&args)
        .args(["--database", url])
        .output()
        .unwrap();
    assert_eq!(code(&third), 2, "{}", said(&third));
    assert!(
        said(&third).contains("is `X`, here it is `Other`"),
        "{}",
        said(&third)
    );
}

/// Nor is it taken where others would see it.
fn the_password_is_nowhere(world: &World, secret: &str, told: String) {
    let refused = world.run(&["status", "--run-name", "R", "--database", secret]);
    assert_eq!(code(&refused), 2);
    let wrong = world
        .command(&["status", "--run-name", "R"])
        .env("ACCESSION_BOOKS_DATABASE", secret.replace("/test", "/no"))
        .output()
        .unwrap();
    assert_eq!(code(&wrong), 2, "{}", said(&wrong));
    let all = [told, said(&refused), said(&wrong)].concat();
    assert!(
        all.contains("does not exist") && !all.contains(PASSWORD),
        "{all}"
    );
    for file in files(world.folder.path()) {
        let text = std::fs::read(&file).unwrap();
        let has = text
            .windows(PASSWORD.len())
            .any(|part| part == PASSWORD.as_bytes());
        assert!(!has, "{}", file.display());
    }
}

#[test]
fn what_leaves_this_machine_is_encrypted_and_the_server_known() {
    let Some(server) = Postgres::start(true) else {
        return;
    };
    let Some((url, certificate)) = server.over_tls() else {
        assert!(std::env::var_os("CI").is_none(), "CI has to have openssl");
        return;
    };
    let collect = |options: &str| {
        let world = World::new(50);
        let collected = world.collect(&["--database", &format!("{url}?{options}")]);
        (world, collected)
    };
    // Neither in the clear, nor with whoever answers.
    let (_, in_the_clear) = collect("sslmode=disable");
    assert_eq!(code(&in_the_clear), 2, "{}", said(&in_the_clear));
    let (_, unknown) = collect("sslmode=require");
    assert_eq!(code(&unknown), 2, "{}", said(&unknown));
    assert!(said(&unknown).contains("certificate"), "{}", said(&unknown));
    let (world, known) = collect(&format!("sslrootcert={}", certificate.display()));
    assert_eq!(code(&known), 0, "{}", said(&known));
    let status = said(&world.run(&["status", "--run-name", "R"]));
    assert!(status.contains("books       50"), "{status}");
}
