//! Whose fault it is when a book fails: its own, or something that it shares with every other.

use testkit::archives::{ArchiveCall, ArchiveFault, ArchiveGrin};

use crate::support::{code, said};
use crate::sync::{Home, barcode, shelf};

fn is_archive(call: &ArchiveCall) -> bool {
    call.target.ends_with(".tar.gz.gpg")
}

/// With nothing else to do, a sync would wait for GRIN, which answers everything but this.
#[test]
fn a_book_that_grin_cannot_serve_fails_while_grin_is_well() {
    let Some(books) = shelf(2, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let poison = barcode(0);
    home.grin.fail(move |call| {
        let is_poison = is_archive(call) && call.target.contains(&poison);
        is_poison.then_some(ArchiveFault::Status(500))
    });
    let synced = home.sync("--queue converted");
    assert_eq!(code(&synced), 1, "{}", said(&synced));
    assert!(said(&synced).contains(&barcode(0)), "{}", said(&synced));
    assert_eq!(home.completed(), [barcode(1)]);
}

#[test]
fn what_fails_for_every_book_costs_none_of_them_a_try() {
    for fault in [ArchiveFault::Status(403), ArchiveFault::Page] {
        let Some(books) = shelf(2, 20_000) else {
            return;
        };
        let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
        home.grin
            .fail(move |call| is_archive(call).then_some(fault));
        for _ in 0..6 {
            let synced = home.sync("--queue converted");
            assert_eq!(code(&synced), 1, "{}", said(&synced));
            assert!(
                !said(&synced).contains("not to be had"),
                "{}",
                said(&synced)
            );
        }
        home.grin.recover();
        let later = home.sync("--queue converted");
        assert_eq!(code(&later), 0, "{}", said(&later));
        assert_eq!(home.completed().len(), 2, "{}", said(&later));
    }
}

/// One archive may be damaged; that a second one does not open either, and none does, tells of the passphrase.
#[test]
fn a_wrong_passphrase_gives_up_one_book_at_most() {
    let Some(books) = shelf(4, 20_000) else {
        return;
    };
    let home = Home::of(ArchiveGrin::start(books).unwrap(), None);
    let path = home.path("secret/gpg_passphrase.asc");
    let right = std::fs::read(&path).unwrap();
    std::fs::write(&path, "another one").unwrap();
    for _ in 0..6 {
        let synced = home.sync("--queue converted");
        assert_eq!(code(&synced), 1, "{}", said(&synced));
    }
    std::fs::write(&path, right).unwrap();
    let later = home.sync("--queue converted");
    assert!(home.completed().len() >= 3, "{}", said(&later));
}
