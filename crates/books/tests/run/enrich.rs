//! Enriching tells found, not found and failed apart, and loses none of them.

use std::collections::BTreeSet;

use books::Outcome;
use books::enrich::Enrich;
use testkit::grin::{FakeCatalogue, FakeGrin, Fault, On, barcode};

use crate::support::World;

const UNENRICHED: &str = "books WHERE enrichment_timestamp IS NULL";

#[test]
fn what_grin_knows_is_recorded_and_blanks_erase_nothing() {
    let world = World::new(FakeCatalogue::of(2_000));
    world.collect_all();
    world
        .sql()
        .execute(
            "UPDATE books SET grin_source_library_bibkey = 'old', ocr_date = 'known'",
            [],
        )
        .unwrap();
    let end = world.enrich(&Enrich::default());
    assert_eq!((end.state, end.failed), (Outcome::Completed, 0));
    assert_eq!((end.found, end.not_found), (1_715, 285));
    assert!(end.writes.transactions <= 2, "{}", end.writes.transactions);
    assert_eq!(world.count(UNENRICHED), 0);
    assert_eq!(world.count("accession_not_found"), 285);
    assert_eq!(world.count("books WHERE ocr_date = 'known'"), 2_000);
    assert_eq!(
        world.count("books WHERE grin_source_library_bibkey LIKE 'bib%'"),
        1_715
    );
    assert_eq!(
        world.count("books WHERE grin_check_in_date = '2020-02-03T04:05:00'"),
        1_715
    );
    assert_eq!(world.count("books WHERE scanned_date LIKE '____/%'"), 0);
    // Collected dates survive where the answer has none.
    assert_eq!(world.count("books WHERE scanned_date IS NULL"), 429);
    let requests = world.grin.requests();
    assert!(requests.iter().all(|request| request.target.len() <= 7_500));
    let again = world.enrich(&Enrich::default());
    assert_eq!((again.state, again.batches), (Outcome::Completed, 0));
}

#[test]
fn only_the_books_of_failed_batches_remain_and_only_they_are_asked_for_again() {
    let mut world = World::new(FakeCatalogue::of(5_000));
    world.retries = 1;
    world.collect_all();
    for (number, fault) in [
        (10, Fault::Status(503, None)),
        (1_200, Fault::SignInPage),
        (2_300, Fault::HalfThenReset),
        (4_990, Fault::OtherPage),
    ] {
        world
            .grin
            .fail(On::Barcode(barcode(number)), fault, u32::MAX);
    }
    let end = world.enrich(&Enrich::default());
    assert_eq!(end.state, Outcome::Failed);
    assert!(end.failed > 0 && end.found > 0, "{end:?}");
    assert_eq!(world.count(UNENRICHED), end.failed);
    assert_eq!(world.count("accession_problem WHERE command = 'enrich'"), 4);
    for number in [10, 1_200, 2_300, 4_990] {
        let one = format!("{UNENRICHED} AND barcode = '{}'", barcode(number));
        assert_eq!(world.count(&one), 1);
    }
    world.grin.mend();
    let before = world.grin.requests().len();
    let again = world.enrich(&Enrich::default());
    assert_eq!(again.state, Outcome::Completed);
    assert_eq!(
        again.found + again.not_found,
        end.failed,
        "only those were asked for"
    );
    assert!(world.grin.requests().len() - before <= 6);
    assert_eq!(world.count(UNENRICHED), 0);
    assert_eq!(world.count("accession_problem"), 0);
}

/// The barcodes that were asked for in requests for which `wanted` is true.
fn asked(world: &World, since: usize, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let requests = world.grin.requests();
    let targets = requests[since..].iter().map(|request| &request.target);
    targets
        .filter_map(|target| target.split_once("barcodes="))
        .filter(|(_, barcodes)| wanted(barcodes))
        .flat_map(|(_, barcodes)| barcodes.split('+').map(str::to_owned))
        .collect()
}

#[test]
fn with_a_third_of_the_batches_failing_exactly_their_books_remain() {
    let mut world = World::new(FakeCatalogue::of(20_000));
    world.retries = 0;
    world.collect_all();
    // Some 13 of the 44 requests.
    let failing: Vec<_> = (0..13).map(|n| barcode(n * 1_500 + 200)).collect();
    for barcode in &failing {
        let fault = Fault::Status(500, None);
        world
            .grin
            .fail(On::Barcode(barcode.clone()), fault, u32::MAX);
    }
    let before = world.grin.requests().len();
    let end = world.enrich(&Enrich::default());
    let fails = |barcodes: &str| failing.iter().any(|failing| barcodes.contains(failing));
    let failed = asked(&world, before, fails);
    assert_eq!(failed.len() as u64, end.failed);
    assert!(failed.len() > 5_000, "{}", failed.len());
    let remaining = |world: &World| -> BTreeSet<String> {
        let connection = world.sql();
        let mut statement = connection.prepare(&format!("SELECT barcode FROM {UNENRICHED}"));
        let rows = statement.as_mut().unwrap().query_map([], |row| row.get(0));
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert!(remaining(&world) == failed);
    world.grin.mend();
    let before = world.grin.requests().len();
    assert_eq!(world.enrich(&Enrich::default()).state, Outcome::Completed);
    assert!(
        asked(&world, before, |_| true) == failed,
        "only those were asked for"
    );
    assert!(remaining(&world).is_empty());
}

#[test]
fn requests_are_as_long_as_they_may_be_and_no_longer_than_a_batch() {
    for (batch, limit, expected) in [(6_000, None, 21), (100, None, 100), (700, Some(5_001), 11)] {
        let world = World::new(FakeCatalogue::of(10_000));
        world.collect_all();
        let before = world.grin.requests().len();
        let end = world.enrich(&Enrich {
            batch,
            limit,
            ..Enrich::default()
        });
        let books = limit.unwrap_or(10_000);
        assert_eq!(end.found + end.not_found, books);
        assert_eq!(end.batches, expected, "{batch}");
        let requests = world.grin.requests();
        assert_eq!(requests.len() - before, expected as usize);
        assert_eq!(asked(&world, before, |_| true).len() as u64, books);
        // Two books of 14 digits more would not have fitted into most of them.
        let full = |request: &&testkit::grin::Request| request.target.len() > 7_500 - 40;
        let long = requests[before..].iter().filter(full).count();
        assert!(long + 1 >= expected as usize || batch == 100, "{long}");
        assert_eq!(world.count(UNENRICHED), 10_000 - books);
    }
}

#[test]
fn a_reset_asks_again_and_erases_nothing() {
    let world = World::new(FakeCatalogue::of(700));
    world.collect_all();
    world.enrich(&Enrich {
        limit: Some(100),
        ..Enrich::default()
    });
    assert_eq!(world.count(UNENRICHED), 600);
    world.enrich(&Enrich::default());
    let before = world.stored();
    let end = world.enrich(&Enrich {
        reset: true,
        ..Enrich::default()
    });
    assert_eq!(end.found + end.not_found, 700);
    assert!(world.stored() == before);
    // Books that GRIN has come to know are no longer called unknown.
    let unknown = world.count("accession_not_found");
    world
        .sql()
        .execute("INSERT INTO accession_not_found SELECT barcode, 't' FROM books WHERE true ON CONFLICT DO NOTHING", [])
        .unwrap();
    world
        .sql()
        .execute("UPDATE books SET enrichment_timestamp = NULL", [])
        .unwrap();
    world.enrich(&Enrich::default());
    assert_eq!(world.count("accession_not_found"), unknown);
    assert_eq!(unknown, 100);
}

#[test]
fn a_stale_token_is_renewed_once_for_all_requests_under_way() {
    let world = World::new(FakeCatalogue::of(5_000));
    world.collect_all();
    world.grin.revoke_token();
    let end = world.enrich(&Enrich::default());
    assert_eq!(end.state, Outcome::Completed);
    assert_eq!(world.grin.refreshes(), 1);
}

#[test]
fn the_token_is_not_sent_where_a_redirect_leads() {
    let mut world = World::new(FakeCatalogue::of(500));
    world.retries = 0;
    world.collect_all();
    let elsewhere = FakeGrin::start(FakeCatalogue::of(500)).unwrap();
    let to = format!("{}/libraries/X/elsewhere", elsewhere.url());
    let first = On::Barcode(barcode(0));
    world.grin.fail(first, Fault::Redirect(to), u32::MAX);
    assert_eq!(world.enrich(&Enrich::default()).state, Outcome::Failed);
    let requests = elsewhere.requests();
    assert!(!requests.is_empty());
    assert!(
        requests
            .iter()
            .all(|request| request.authorization.is_none())
    );
}
