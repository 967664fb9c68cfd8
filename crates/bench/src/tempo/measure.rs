//! How right tempo and key are, as MIREX counts it.

use std::collections::BTreeMap;
use std::fmt;

use audio::flavor::Flavor;

use super::{Key, Truth};
use crate::printer;
use crate::table::Table;

/// A tempo is right within this share.
const NEAR: f64 = 0.04;

/// A file, what is known of it and what was heard.
#[derive(Debug, Clone)]
pub struct Heard {
    name: String,
    truth: Truth,
    bpm: Option<f64>,
    key: Option<Key>,
}

/// A file and a copy of it that was shifted.
#[derive(Debug, Clone)]
pub struct Shift {
    name: String,
    semitones: i32,
    speed: f64,
    bpm: [Option<f64>; 2],
    key: [Option<Key>; 2],
}

/// The key that was heard.
fn key(flavor: &Flavor) -> Option<Key> {
    flavor.key.map(|tonic| Key {
        tonic: tonic as u8 % 12,
        minor: flavor.major_over_minor < 0.0,
    })
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found / expected - 1.0).abs() <= NEAR)
}

/// Accuracy 1 and 2 of a tempo: within 4 %, and the same with factors of two and three forgiven.
pub fn accuracy(found: Option<f64>, truth: f64) -> (bool, bool) {
    let forgiven = [1.0 / 3.0, 0.5, 1.0, 2.0, 3.0];
    (
        near(found, truth),
        forgiven.iter().any(|factor| near(found, truth * factor)),
    )
}

/// The MIREX score of a key: same 1, a fifth away 0.5, relative 0.3, parallel 0.2.
pub fn score(found: Option<Key>, truth: Key) -> f64 {
    let Some(found) = found else { return 0.0 };
    let up = (12 + found.tonic - truth.tonic) % 12;
    match (found.minor == truth.minor, truth.minor, up) {
        (true, _, 0) => 1.0,
        (true, _, 5 | 7) => 0.5,
        // A major key's relative lies three semitones below, a minor key's as much above.
        (false, false, 9) | (false, true, 3) => 0.3,
        (false, _, 0) => 0.2,
        _ => 0.0,
    }
}

impl Heard {
    /// Sets what was heard beside what is known.
    pub fn of(name: String, truth: Truth, flavor: &Flavor) -> Self {
        Self {
            name,
            truth,
            bpm: flavor.tempo_bpm,
            key: key(flavor),
        }
    }

    /// Whether all that is known of it was heard.
    pub fn is_right(&self) -> bool {
        self.truth.bpm.is_none_or(|bpm| near(self.bpm, bpm))
            && self.truth.key.is_none_or(|key| self.key == Some(key))
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bpm = |bpm: Option<f64>| bpm.map_or("-".to_owned(), |bpm| format!("{bpm:.1}"));
        let key = |key: Option<Key>| key.map_or("-".to_owned(), |key| key.to_string());
        write!(
            f,
            "{}: {} beats a minute, expected {}; {}, expected {}",
            self.name,
            bpm(self.bpm),
            bpm(self.truth.bpm),
            key(self.key),
            key(self.truth.key)
        )
    }
}

impl Shift {
    /// Sets a file beside its copy, so many semitones higher and so many times as fast.
    pub fn of(name: String, semitones: i32, speed: f64, here: &Flavor, there: &Flavor) -> Self {
        Self {
            name,
            semitones,
            speed,
            bpm: [here.tempo_bpm, there.tempo_bpm],
            key: [key(here), key(there)],
        }
    }

    /// Whether the key went along, in the same mode.
    pub fn is_right(&self) -> bool {
        let [Some(here), Some(there)] = self.key else {
            return self.key == [None, None];
        };
        let expected = (i32::from(here.tonic) + self.semitones).rem_euclid(12);
        here.minor == there.minor && i32::from(there.tonic) == expected
    }

    /// Whether the tempo did.
    fn kept_time(&self) -> bool {
        match self.bpm {
            [Some(here), there] => near(there, here * self.speed),
            [None, there] => there.is_none(),
        }
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |key: Option<Key>| key.map_or("-".to_owned(), |key| key.to_string());
        let [here, there] = self.key.map(key);
        write!(
            f,
            "{}: {here}, shifted by {:+} semitones {there}",
            self.name, self.semitones
        )
    }
}

/// Counts of one style.
#[derive(Debug, Default)]
struct Counts {
    tempos: usize,
    near: usize,
    forgiven: usize,
    keys: usize,
    same: usize,
    score: f64,
}

impl Counts {
    fn add(&mut self, heard: &Heard) {
        if let Some(bpm) = heard.truth.bpm {
            let (near, forgiven) = accuracy(heard.bpm, bpm);
            self.tempos += 1;
            self.near += usize::from(near);
            self.forgiven += usize::from(forgiven);
        }
        if let Some(key) = heard.truth.key {
            self.keys += 1;
            self.same += usize::from(heard.key == Some(key));
            self.score += score(heard.key, key);
        }
    }

    fn row(&self, style: &str) -> [String; 7] {
        let share = |part: f64, of: usize| match of {
            0 => "-".to_owned(),
            of => format!("{:.1}", 100.0 * part / of as f64),
        };
        [
            style.to_owned(),
            self.tempos.to_string(),
            share(self.near as f64, self.tempos),
            share(self.forgiven as f64, self.tempos),
            self.keys.to_string(),
            share(self.same as f64, self.keys),
            share(self.score, self.keys),
        ]
    }
}

/// Prints what was heard by style, and how many keys and tempos went along with a shift.
pub fn report(heard: &[Heard], shifts: &[Shift]) {
    if !heard.is_empty() {
        let mut table = Table::new(&[
            "style",
            "tempos",
            "within 4 %",
            "octaves forgiven",
            "keys",
            "same",
            "weighted",
        ]);
        let mut styles: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut all = Counts::default();
        for one in heard {
            styles.entry(&one.truth.style).or_default().add(one);
            all.add(one);
        }
        for (style, counts) in &styles {
            table.row(counts.row(style));
        }
        table.row(all.row("all"));
        printer::result(&table.to_string());
    }
    let keys = shifts.iter().filter(|shift| shift.is_right()).count();
    let tempos = shifts.iter().filter(|shift| shift.kept_time()).count();
    printer::result(&format!(
        "shifted copies: {} of {} keys and {} tempos went along",
        keys,
        shifts.len(),
        tempos
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempos_are_counted_as_mirex_does() {
        for (found, expected) in [
            (Some(120.0), (true, true)),
            (Some(124.7), (true, true)),
            (Some(125.0), (false, false)),
            (Some(60.0), (false, true)),
            (Some(40.0), (false, true)),
            (Some(240.0), (false, true)),
            (Some(358.0), (false, true)),
            (Some(180.0), (false, false)),
            (None, (false, false)),
        ] {
            assert_eq!(accuracy(found, 120.0), expected, "{found:?}");
        }
    }

    #[test]
    fn keys_are_scored_as_mirex_does() {
        let key = |text: &str| text.parse::<Key>().unwrap();
        for (found, truth, expected) in [
            ("C major", "C major", 1.0),
            ("G major", "C major", 0.5),
            ("F major", "C major", 0.5),
            ("A minor", "C major", 0.3),
            ("C minor", "C major", 0.2),
            ("C major", "A minor", 0.3),
            ("E minor", "A minor", 0.5),
            ("A major", "A minor", 0.2),
            ("D major", "C major", 0.0),
            ("E minor", "C major", 0.0),
        ] {
            let score = score(Some(key(found)), key(truth));
            assert!(
                (score - expected).abs() < 1e-9,
                "{found} for {truth}: {score}"
            );
        }
    }
}
