//! The styles of made songs.
//!
//! A pattern is a bar in sixteenths of a beat's quarter: four signs a beat. In a pattern of drums `x` is a hit and `o` a
//! soft one; in one of a bass `1`, `5` and `8` are the chord's root, its fifth and the root an octave up; in one of
//! chords `x` is a chord that lasts until the next. Every style has three of each, for training, validation and test, so
//! that no split has heard the rhythms of another.

/// How a style is played.
#[derive(Debug)]
pub struct Style {
    /// Its name, as it is reported.
    pub name: &'static str,
    /// The range of its tempos, in beats a minute.
    pub bpm: (f64, f64),
    /// Beats of a bar.
    pub beats: usize,
    /// How late the second eighth of a beat comes, as a share of an eighth; a third makes triplets.
    pub swing: f64,
    /// How far the tempo wanders, as a share of it.
    pub drift: f64,
    /// Instruments of General MIDI's drums and when they are hit; three bars.
    pub drums: [&'static [(u8, &'static str)]; 3],
    /// When the bass plays.
    pub bass: [&'static str; 3],
    /// When chords are struck.
    pub chords: [&'static str; 3],
    /// The instruments of bass, chords and melody, of which one each is taken.
    pub programs: [&'static [u8]; 3],
    /// How many of the eighths have a note of the melody.
    pub melody: f64,
    /// Bars a chord lasts; 0 for a chord a beat, in four voices.
    pub bars: usize,
}

const KICK: u8 = 36;
const STICK: u8 = 37;
const SNARE: u8 = 38;
const CLOSED: u8 = 42;
const OPEN: u8 = 46;
const RIDE: u8 = 51;
const SHAKER: u8 = 70;
const CLAVES: u8 = 75;

/// All of them.
pub const STYLES: [Style; 14] = [
    Style {
        name: "rock",
        bpm: (90.0, 170.0),
        beats: 4,
        swing: 0.0,
        drift: 0.005,
        drums: [
            &[
                (KICK, "x.......x......."),
                (SNARE, "....x.......x..."),
                (CLOSED, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x.....x.x......."),
                (SNARE, "....x.......x..."),
                (CLOSED, "x.o.x.o.x.o.x.o."),
            ],
            &[
                (KICK, "x.x.......x....."),
                (SNARE, "....x.......x..o"),
                (RIDE, "x...x...x...x..."),
            ],
        ],
        bass: ["1.1.1.1.1.1.1.1.", "1.....1.1.....5.", "1.1.....1.1.5..."],
        chords: ["x.......x.......", "x.....x.....x...", "x...x...x...x.x."],
        programs: [&[33, 34], &[27, 29, 30], &[30, 65, 56, 81]],
        melody: 0.5,
        bars: 1,
    },
    Style {
        name: "ballad",
        bpm: (55.0, 90.0),
        beats: 4,
        swing: 0.0,
        drift: 0.01,
        drums: [
            &[
                (KICK, "x.......x......."),
                (STICK, "....x.......x..."),
                (CLOSED, "x.o.x.o.x.o.x.o."),
            ],
            &[
                (KICK, "x......xx......."),
                (SNARE, "....x.......x..."),
                (CLOSED, "xoxoxoxoxoxoxoxo"),
            ],
            &[
                (KICK, "x.......x.x....."),
                (STICK, "....x.......x..."),
                (SHAKER, "o.x.o.x.o.x.o.x."),
            ],
        ],
        bass: ["1.......5.......", "1......11.......", "1.......1.....5."],
        chords: ["x.x.x.x.x.x.x.x.", "x...x...x...x...", "xxxxxxxxxxxxxxxx"],
        programs: [&[32, 33, 35], &[0, 4, 24, 25], &[40, 71, 73, 65]],
        melody: 0.35,
        bars: 1,
    },
    Style {
        name: "techno",
        bpm: (118.0, 150.0),
        beats: 4,
        swing: 0.0,
        drift: 0.0,
        drums: [
            &[
                (KICK, "x...x...x...x..."),
                (OPEN, "..x...x...x...x."),
                (39, "....x.......x..."),
            ],
            &[
                (KICK, "x...x...x...x..."),
                (CLOSED, "x.xxx.xxx.xxx.xx"),
                (39, "....x.......x..."),
            ],
            &[
                (KICK, "x...x...x...x.x."),
                (OPEN, "..x...x...x...x."),
                (CLOSED, "xxxxxxxxxxxxxxxx"),
            ],
        ],
        bass: ["..1...1...1...1.", "1.11.11.1.11.11.", ".111.111.111.111"],
        chords: ["x..x..x..x..x.x.", "..x...x...x...x.", "x.....x...x....."],
        programs: [&[38, 39], &[50, 81, 90], &[80, 81, 87]],
        melody: 0.4,
        bars: 2,
    },
    Style {
        name: "waltz",
        bpm: (85.0, 190.0),
        beats: 3,
        swing: 0.0,
        drift: 0.015,
        drums: [
            &[(KICK, "x..........."), (CLOSED, "....x...x...")],
            &[
                (KICK, "x..........."),
                (SNARE, "....o...o..."),
                (RIDE, "x...x...x..."),
            ],
            &[(KICK, "x..........."), (STICK, "....x...x.x.")],
        ],
        bass: ["1...........", "1.......5...", "1..........."],
        chords: ["....x...x...", "....x...x...", "....x...x.x."],
        programs: [&[32, 43, 58], &[0, 21, 48], &[40, 73, 71, 21]],
        melody: 0.5,
        bars: 1,
    },
    Style {
        name: "swing",
        bpm: (100.0, 200.0),
        beats: 4,
        swing: 0.33,
        drift: 0.01,
        drums: [
            &[(RIDE, "x...x.x.x...x.x."), (44, "....x.......x...")],
            &[
                (RIDE, "x...x.x.x...x.x."),
                (44, "....x.......x..."),
                (KICK, "o...o...o...o..."),
            ],
            &[
                (RIDE, "x...x.x.x.x.x..."),
                (44, "....x.......x..."),
                (SNARE, "......o.......o."),
            ],
        ],
        bass: ["1...5...8...5...", "1...1...5...5...", "1...8...5...1..."],
        chords: ["x.....x.........", "..x.......x.....", "......x.....x..."],
        programs: [&[32], &[0, 26], &[66, 56, 71, 11]],
        melody: 0.55,
        bars: 1,
    },
    Style {
        name: "bossa nova",
        bpm: (110.0, 160.0),
        beats: 4,
        swing: 0.0,
        drift: 0.005,
        drums: [
            &[
                (KICK, "x.....x.x.....x."),
                (CLAVES, "x.....x.....x..."),
                (SHAKER, "xoxoxoxoxoxoxoxo"),
            ],
            &[
                (KICK, "x.....x.x.....x."),
                (STICK, "x.....x...x....."),
                (CLOSED, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x.....x.x.....x."),
                (STICK, "..x...x.....x..."),
                (SHAKER, "x.o.x.o.x.o.x.o."),
            ],
        ],
        bass: ["1.....5.5.....1.", "1.....1.5.....5.", "1.......5.....5."],
        chords: ["x...x.....x...x.", "x.....x...x.....", "..x...x.....x..."],
        programs: [&[32, 33], &[24, 0], &[73, 65, 11]],
        melody: 0.45,
        bars: 1,
    },
    Style {
        name: "reggae",
        bpm: (65.0, 95.0),
        beats: 4,
        swing: 0.1,
        drift: 0.005,
        drums: [
            &[
                (KICK, "........x......."),
                (STICK, "........x......."),
                (CLOSED, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x...x...x...x..."),
                (SNARE, "........x......."),
                (CLOSED, "x.o.x.o.x.o.x.o."),
            ],
            &[
                (KICK, "x.......x......."),
                (STICK, "........x.....o."),
                (CLOSED, "x.xxx.xxx.xxx.xx"),
            ],
        ],
        bass: ["1.....1.5...8...", "1.1...5...1.....", "..1.1.....5.5..."],
        chords: ["..x...x...x...x.", "....x.......x...", "..xx..xx..xx..xx"],
        programs: [&[33, 39], &[16, 27], &[22, 65, 53]],
        melody: 0.3,
        bars: 1,
    },
    Style {
        name: "drum and bass",
        bpm: (160.0, 180.0),
        beats: 4,
        swing: 0.0,
        drift: 0.0,
        drums: [
            &[
                (KICK, "x.........x....."),
                (SNARE, "....x.......x..."),
                (CLOSED, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x.x.......x....."),
                (SNARE, "....x..o.o..x..."),
                (RIDE, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x.....x...x....."),
                (SNARE, "....x.......x..o"),
                (CLOSED, "xxxxxxxxxxxxxxxx"),
            ],
        ],
        bass: ["1...............", "1.....1.....5...", "1.........8....."],
        chords: ["x...............", "x...............", "x.......x......."],
        programs: [&[38, 39], &[89, 91, 50], &[80, 88]],
        melody: 0.2,
        bars: 2,
    },
    Style {
        name: "funk",
        bpm: (88.0, 120.0),
        beats: 4,
        swing: 0.05,
        drift: 0.005,
        drums: [
            &[
                (KICK, "x.x.......x..x.."),
                (SNARE, "....x..o.o..x..o"),
                (CLOSED, "xxxxxxxxxxxxxxxx"),
            ],
            &[
                (KICK, "x..x......x....."),
                (SNARE, "....x..o....x..."),
                (CLOSED, "x.x.x.x.x.x.x.x."),
            ],
            &[
                (KICK, "x.....xx..x....."),
                (SNARE, "....x....o..x..."),
                (CLOSED, "x.xxx.xxx.xxx.xx"),
            ],
        ],
        bass: ["1..1..8...1..5..", "1.....1..1.8..5.", "1..8....1..1.5.8"],
        chords: ["..x..x....x..x..", "....x..x....x...", ".x..x..x..x....."],
        programs: [&[36, 37], &[27, 28, 7], &[61, 65, 62]],
        melody: 0.35,
        bars: 2,
    },
    Style {
        name: "march",
        bpm: (95.0, 135.0),
        beats: 4,
        swing: 0.0,
        drift: 0.01,
        drums: [
            &[(KICK, "x.......x......."), (SNARE, "....x.......x.xx")],
            &[(KICK, "x...x...x...x..."), (SNARE, "..x...x...x...x.")],
            &[(KICK, "x.......x......."), (SNARE, "x.xxx...x.xxx...")],
        ],
        bass: ["1.......5.......", "1...5...1...5...", "1...5...8...5..."],
        chords: ["....x.......x...", "..x...x...x...x.", "..x...x...x...x."],
        programs: [&[58], &[60, 61, 69], &[56, 72, 73]],
        melody: 0.5,
        bars: 1,
    },
    Style {
        name: "piano",
        bpm: (60.0, 140.0),
        beats: 4,
        swing: 0.0,
        drift: 0.03,
        drums: [&[], &[], &[]],
        bass: ["1.......5.......", "1...............", "1...8...5...8..."],
        chords: ["..x...x...x...x.", "x.x.x.x.x.x.x.x.", "....x...x...x..."],
        programs: [&[0, 6], &[0, 6], &[0, 6]],
        melody: 0.5,
        bars: 1,
    },
    Style {
        name: "strings",
        bpm: (50.0, 100.0),
        beats: 4,
        swing: 0.0,
        drift: 0.04,
        drums: [&[], &[], &[]],
        bass: ["1...............", "1.......1.......", "1.......5......."],
        chords: ["x...............", "x.......x.......", "x.....x.x......."],
        programs: [&[42, 43, 48], &[48, 49, 44], &[40, 48, 68]],
        melody: 0.3,
        bars: 1,
    },
    Style {
        name: "hymn",
        bpm: (60.0, 110.0),
        beats: 4,
        swing: 0.0,
        drift: 0.01,
        drums: [&[], &[], &[]],
        bass: ["1...1...1...1...", "1...1...1...1...", "1...1...1...1..."],
        chords: ["x...x...x...x...", "x...x...x...x...", "x...x...x...x..."],
        programs: [&[19, 0, 52], &[19, 0, 52], &[19, 0, 52]],
        melody: 0.5,
        bars: 0,
    },
    Style {
        name: "tune",
        bpm: (80.0, 140.0),
        beats: 4,
        swing: 0.0,
        drift: 0.01,
        drums: [&[], &[], &[]],
        bass: ["................", "................", "1..............."],
        chords: ["................", "................", "................"],
        programs: [&[42], &[24], &[40, 73, 22, 21, 105, 75]],
        melody: 0.8,
        bars: 1,
    },
];
