//! Tiny runs of the benchmarks, for what they count; what they time is nobody's business here.

use std::time::Duration;

use bench::lock::{Design, Plan, run};

#[test]
fn each_design_takes_the_lock_as_often_as_its_formula_says() {
    let plan = Plan {
        workers: 4,
        passages: vec![1, 3],
        files: 12,
        limit: Duration::from_mins(1),
    };
    let cells = run(&plan, |_| ()).unwrap();
    assert_eq!(cells.len(), 6);
    for cell in &cells {
        let n = cell.passages as u64;
        assert_eq!((cell.files, cell.failed), (12, 0));
        match cell.design {
            Design::A => {
                assert_eq!(cell.accesses, 12 * (9 * n + 1));
                assert_eq!(cell.write_locks, 12 * (6 * n + 1));
            }
            Design::B => {
                assert_eq!(cell.accesses, 12 * (3 * n + 5));
                assert_eq!(cell.write_locks, 12 * (3 * n + 2));
            }
            Design::C => assert!((1..=12).contains(&cell.write_locks)),
        }
    }
    let table = bench::lock::table(&cells).to_string();
    assert!(table.contains("9N+1 = 28"), "{table}");
}

#[test]
fn an_unchanged_library_takes_one_lock_at_most() {
    let rescanned = bench::rescan::measure(&bench::rescan::Plan {
        files: 30,
        seconds: 1.0,
        jobs: 2,
        rounds: 1,
        program: env!("CARGO_BIN_EXE_bench").into(),
    })
    .unwrap();
    let (first, again, retagged) = (rescanned.first, rescanned.again, rescanned.retagged);
    assert_eq!((first.files, first.failed), (30, 0));
    assert!(first.commits <= 31, "{first:?}");
    assert_eq!(again[0].files, 30);
    assert!(again[0].commits <= 1, "{again:?}");
    assert!(retagged.commits <= 31, "{retagged:?}");
}

#[test]
fn an_import_decodes_what_decoding_alone_does() {
    let folder = testkit::corpus::collection().unwrap();
    let plan = bench::import::Plan {
        folder: None,
        jobs: vec![1],
        rounds: 1,
        stages: false,
        program: env!("CARGO_BIN_EXE_bench").into(),
    };
    let all = bench::import::measure(&plan, folder.path()).unwrap();
    assert_eq!(all[0].costs[0].files, all[1].costs[0].files);
    let table = bench::import::table(&all).to_string();
    assert!(table.contains("import, 1 job "), "{table}");
}

#[test]
fn a_thousand_workers_that_fail_record_each_item_once() {
    let fenced = bench::scale::simulate(100_000, 1_000, 1, true);
    assert_eq!((fenced.once, fenced.more), (100_000, 0), "{fenced:?}");
    assert!(fenced.refused > 0 && fenced.taken_over > 0, "{fenced:?}");
    // The same world without the check records some twice, so the check is what keeps it.
    let unfenced = bench::scale::simulate(100_000, 1_000, 1, false);
    assert!(unfenced.more > 0, "{unfenced:?}");
}

#[test]
fn made_records_are_collected() {
    bench::hear::collect(40, None).unwrap();
}
