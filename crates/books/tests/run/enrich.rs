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

/// Barcodes that remain to be asked for.
fn remaining(world: &World) -> BTreeSet<String> {
    let connection = world.sql();
    let mut statement = connection.prepare(&format!("SELECT barcode FROM {UNENRICHED}"));
    let rows = statement.as_mut().unwrap().query_map([], |row| row.get(0));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn books_that_spoil_every_answer_are_found_and_only_they_remain() {
    let mut world = World::new(FakeCatalogue::of(20_000));
    world.retries = 0;
    world.collect_all();
    let poison: BTreeSet<_> = (0..13).map(|n| barcode(n * 1_500 + 200)).collect();
    for (barcode, status) in poison.iter().zip([500, 414, 400, 404].into_iter().cycle()) {
        let fault = Fault::Status(status, None);
        let one = On::Barcode(barcode.clone());
        world.grin.fail(one, fault, u32::MAX);
    }
    let end = world.enrich(&Enrich::default());
    assert_eq!((end.state, end.failed), (Outcome::Failed, 13));
    assert!(remaining(&world) == poison);
    world.grin.mend();
    let before = world.grin.requests().len();
    assert_eq!(world.enrich(&Enrich::default()).state, Outcome::Completed);
    assert!(
        asked(&world, before, |_| true).is_superset(&poison),
        "only those, and a witness, were asked for"
    );
    assert!(remaining(&world).is_empty());
}

#[test]
fn an_outage_is_not_mistaken_for_a_book_that_spoils_answers() {
    let mut world = World::new(FakeCatalogue::of(5_000));
    world.retries = 0;
    world.collect_all();
    world.grin.fail(On::Any, Fault::Status(500, None), u32::MAX);
    let before = world.grin.requests().len();
    let end = world.enrich(&Enrich::default());
    assert_eq!((end.state, end.failed), (Outcome::Failed, 5_000));
    let asked = world.grin.requests().len() - before;
    assert!(asked < 80, "{asked} requests");
    assert_eq!(remaining(&world).len(), 5_000);
}

/// Each of these once made books unknown to GRIN for good.
#[test]
fn an_answer_that_proves_nothing_makes_no_book_unknown() {
    for (name, change) in ANSWERS {
        let mut world = World::new(FakeCatalogue::of(600));
        world.retries = 0;
        world.collect_all();
        world.grin.change_answers(change);
        let end = world.enrich(&Enrich::default());
        let known = (0..600).filter(|number| number % 7 != 6).map(barcode);
        let unknown = world.count("accession_not_found");
        for barcode in known {
            let one = format!("accession_not_found WHERE barcode = '{barcode}'");
            assert_eq!(world.count(&one), 0, "{name}: {barcode}");
        }
        if end.state == Outcome::Completed {
            assert_eq!((end.found, unknown), (515, 85), "{name}");
        } else {
            assert_eq!((end.state, unknown), (Outcome::Failed, 0), "{name}");
        }
        let cut = "books WHERE grin_source_library_bibkey <> 'bib' || (CAST(barcode AS INT) - 32044000000000)";
        assert_eq!(world.count(cut), 0, "{name}");
        world.grin.change_answers(String::into_bytes);
        assert_eq!(world.enrich(&Enrich::default()).state, Outcome::Completed);
        assert_eq!(world.count("accession_not_found"), 85, "{name}");
        assert_eq!(
            world.count("books WHERE grin_viewability = 'VIEW_FULL'"),
            515,
            "{name}"
        );
    }
}

/// What a faulty server makes of an answer.
type Damage = fn(String) -> Vec<u8>;

const ANSWERS: [(&str, Damage); 13] = [
    ("an end that is cut off", |text| {
        text[..text.len() - 4].to_owned().into_bytes()
    }),
    ("an error behind the lines", |text| {
        (text + "Internal server error\n").into_bytes()
    }),
    ("a page behind some lines", |text| {
        let half: String = text.split_inclusive('\n').take(200).collect();
        (half + "<html><body>502 Bad Gateway</body></html>").into_bytes()
    }),
    ("half of the lines", |text| {
        let half: String = text.split_inclusive('\n').take(200).collect();
        half.into_bytes()
    }),
    ("a header alone", |text| {
        text.split_inclusive('\n')
            .take(1)
            .collect::<String>()
            .into_bytes()
    }),
    ("barcodes in the last column", |text| {
        let turned = text.lines().map(|line| {
            let (first, rest) = line.split_once('\t').unwrap();
            format!("{rest}\t{first}\n")
        });
        turned.collect::<String>().into_bytes()
    }),
    ("a header in capitals", |text| {
        let (header, rest) = text.split_once('\n').unwrap();
        format!("{}\n{rest}", header.to_uppercase()).into_bytes()
    }),
    ("lines that end in CR", |text| {
        text.replace('\n', "\r").into_bytes()
    }),
    ("lines in reverse", |text| {
        let (header, rest) = text.split_once('\n').unwrap();
        let lines: Vec<&str> = rest.lines().rev().collect();
        format!("{header}\n{}\n", lines.join("\n")).into_bytes()
    }),
    ("rows of other books", |text| {
        text.replace("\n3204400000", "\n9904400000").into_bytes()
    }),
    ("UTF-16", |text| {
        let units = [0xfeff].into_iter().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    }),
    ("no line end at its end", |text| {
        text.trim_end().to_owned().into_bytes()
    }),
    ("a page", |_| {
        b"<html><body>Maintenance</body></html>".to_vec()
    }),
];

#[test]
fn a_line_that_was_shifted_is_asked_for_alone_and_never_stored() {
    let mut world = World::new(FakeCatalogue::of(600));
    world.retries = 0;
    world.collect_all();
    world
        .grin
        .change_answers(|text| text.replace("\tbib301\n", "\tbib\t300\n").into_bytes());
    let end = world.enrich(&Enrich::default());
    assert_eq!(
        (end.state, end.failed, end.found),
        (Outcome::Failed, 1, 514)
    );
    assert_eq!(remaining(&world), BTreeSet::from([barcode(301)]));
    assert_eq!(
        world.count("books WHERE grin_source_library_bibkey = 'bib'"),
        0
    );
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
        // A book at the end of an answer that is silent about it goes with the next ones.
        assert!(
            (expected..=expected * 6 / 5 + 1).contains(&end.batches),
            "{batch}: {}",
            end.batches
        );
        let requests = world.grin.requests();
        assert_eq!(requests.len() - before, end.batches as usize);
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
