//! Deriving the keys of encrypted archives: one after the other, and side by side.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use books::decrypt::{Slow, derive, side_by_side, slow_key};
use testkit::archives::{PASSPHRASE, encrypt_with};
use web::Secret;

/// Measures each number of keys so many times; the fastest counts, for others use the machine, too.
const TIMES: u32 = 5;

/// Derives up to `most` keys of `gpg`'s default kind at once, on one processor.
pub(crate) fn keys(most: usize) -> Result<()> {
    let slow = (0..most).map(|_| one()).collect::<Result<Vec<Slow>>>()?;
    println!(
        "side by side at most, and from which number on: {:?}",
        side_by_side()
    );
    println!("| keys at once | s | keys/s | of one after the other |");
    println!("|---|---|---|---|");
    let mut alone = None;
    for count in 1..=most {
        let taken = fastest(&slow[..count])?.as_secs_f64();
        let alone = *alone.get_or_insert(taken);
        println!(
            "| {count} | {taken:.3} | {:.1} | {:.2} |",
            count as f64 / taken,
            alone * count as f64 / taken
        );
    }
    Ok(())
}

/// A key as `gpg` has it derived when nothing else is said.
fn one() -> Result<Slow> {
    let file = tempfile::NamedTempFile::new()?;
    let encrypted = encrypt_with(b"text", &["--s2k-count", "65011712"]);
    std::fs::write(file.path(), encrypted.context("there is no gpg")?)?;
    slow_key(file.path(), &Secret::new(PASSPHRASE)).context("its key is derived in another way")
}

fn fastest(slow: &[Slow]) -> Result<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..TIMES {
        let began = Instant::now();
        ensure!(derive(slow).len() == slow.len(), "a key is missing");
        fastest = fastest.min(began.elapsed());
    }
    Ok(fastest)
}
