//! Two commands at one time: on one run the second is refused, on two runs they may keep one pace.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::archives::{ArchiveFault, ArchiveGrin};

use crate::support::{code, said};
use crate::sync::{Home, shelf, sync_args};

/// The arguments for another run and another pace.
fn of_run(run: &str, args: &[String], rate: &str) -> Vec<String> {
    let mut args = args.to_vec();
    for (flag, value) in [("--run-name", run), ("--rate-limit", rate)] {
        let at = args.iter().position(|arg| arg == flag).unwrap();
        value.clone_into(&mut args[at + 1]);
    }
    args
}

fn begun(home: &Home, args: &[String]) -> Child {
    let mut command = home.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn a_second_sync_of_one_run_is_refused_and_the_first_is_not_disturbed() {
    let Some(books) = shelf(4, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    home.grin.fail(|call| {
        let is_archive = call.target.ends_with(".tar.gz.gpg") && call.method == "GET";
        is_archive.then_some(ArchiveFault::Stalled(Duration::from_secs(1)))
    });
    let mut first = begun(&home, &sync_args("--queue converted"));
    let asked = || {
        home.grin
            .calls()
            .iter()
            .any(|call| call.method == "GET" && call.target.ends_with(".tar.gz.gpg"))
    };
    while !asked() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = home.sync("--queue converted");
    assert_eq!(code(&second), 2, "{}", said(&second));
    assert!(
        said(&second).contains("another session is running for `g`"),
        "{}",
        said(&second)
    );
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(home.completed().len(), 4);
}

#[test]
fn two_runs_that_are_told_to_ask_no_more_often_together_than_one_may_alone() {
    const A_SECOND: u32 = 10;
    let Some(books) = shelf(12, 1_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let collected = home.run(&of_run("h", &home.collect(), "0"));
    assert_eq!(code(&collected), 0, "{}", said(&collected));
    let before = home.grin.calls().len();
    let begun_at = Instant::now();
    let args = sync_args("--queue converted --skip-csv-export --share-rate pace");
    let rate = A_SECOND.to_string();
    let children = ["g", "h"].map(|run| begun(&home, &of_run(run, &args, &rate)));
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let calls = home.grin.calls().len() - before;
    let least = Duration::from_secs(calls as u64 - 1) / A_SECOND;
    assert!(calls > 24, "{calls} calls");
    let took = begun_at.elapsed();
    assert!(took >= least.mul_f64(0.95), "{calls} calls in {took:?}");
    // A file of somebody else is not written to.
    std::fs::write(home.path("notes"), "buy milk\n").unwrap();
    let refused = home.run(&of_run(
        "g",
        &sync_args("--queue converted --share-rate notes"),
        &rate,
    ));
    assert_eq!(code(&refused), 2, "{}", said(&refused));
    let notes = std::fs::read_to_string(home.path("notes")).unwrap();
    assert_eq!(notes, "buy milk\n");
}
