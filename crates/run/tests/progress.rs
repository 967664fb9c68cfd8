//! How far a job is while an item is in hand for long.

use run::Progress;

#[test]
fn a_long_item_moves_what_is_done_and_left_while_it_is_in_hand() {
    let progress = Progress::new(1);
    progress.expect(1, 1000);
    progress.working(0, "rip.flac", "decode");
    progress.weighs(0, 1000);
    let (mut done, mut left) = (0.0, f64::INFINITY);
    for part in [0.1, 0.5, 1.0] {
        progress.part(part);
        let seen = progress.snapshot();
        let now = seen.done.unwrap();
        assert!(done < now && now < 1.0, "{now} is done, before {done}");
        let rest = seen.remaining_seconds.unwrap() / seen.elapsed_seconds;
        assert!(rest < left, "{rest} of what passed is left, before {left}");
        (done, left) = (now, rest);
    }
    // Another thread is another worker.
    std::thread::scope(|scope| scope.spawn(|| progress.part(0.0)).join()).unwrap();
    assert_eq!(progress.snapshot().done, Some(done));
    progress.finished(0, 1000, false);
    let seen = progress.snapshot();
    assert_eq!((seen.done, seen.remaining_seconds), (Some(1.0), Some(0.0)));
}
