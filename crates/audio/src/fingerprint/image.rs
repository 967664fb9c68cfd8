//! Chromaprint's picture of music, and the bits that are read from it.
//!
//! A row of the picture says how much of each pitch class sounds in a third of a second, and there are eight rows a
//! second. A number of the fingerprint looks at sixteen rows: sixteen times it asks how much more sounds in one part of
//! a rectangle than in the other, and keeps two bits of the answer (Ke, Hoiem and Sukthankar's way of looking at
//! spectrograms, 2005; which rectangles, and where an answer changes, was learned by Chromaprint's author).
//!
//! All of this is what the crate `rusty-chromaprint` does too, bit for bit on whatever was tried (see the tests). It
//! transforms complex numbers in double precision, half of which are 0, and copies every sample some six times; here
//! it is real numbers in single precision, which takes less than half the time.

use std::sync::LazyLock;

use realfft::num_complex::Complex;

use super::RATE;
use crate::frames::{Frames, Window};

/// Samples of a transform, and from one to the next.
const FRAME: usize = 4096;
const HOP: usize = FRAME / 3;

/// The frequencies that are looked at, in Hz: A0 to A7.
const LOWEST_HERTZ: f64 = 28.0;
const HIGHEST_HERTZ: f64 = 3520.0;

/// What pitch classes are counted from: A0 in Hz, of the tuning in which A4 is 440.
const A0_HERTZ: f64 = 27.5;

const CLASSES: usize = 12;

/// How much each of five rows that follow each other counts in a row of the picture.
const SMOOTHED: [f64; 5] = [0.25, 0.75, 1.0, 0.75, 0.25];

/// A row shorter than this, as a vector, is silence.
const SILENT: f64 = 0.01;

/// Rows that a number looks at.
const ROWS: usize = 16;

/// How a rectangle is divided into two parts; rows follow each other in time, classes are side by side.
#[derive(Debug, Clone, Copy)]
enum Parts {
    /// All of it, and nothing.
    Whole,
    /// Higher classes, and lower ones.
    Classes,
    /// Later, and earlier.
    Time,
    /// Two corners that face each other, and the other two.
    Corners,
    /// The middle third of the classes, and the others.
    MiddleClasses,
    /// The middle third of the time, and the rest.
    MiddleTime,
}

/// A question: a rectangle, and between which answers the two bits change.
struct Question {
    parts: Parts,
    /// The first class, how many there are, and how many rows.
    from: usize,
    classes: usize,
    rows: usize,
    steps: [f64; 3],
}

const fn ask(parts: Parts, [from, classes, rows]: [usize; 3], steps: [f64; 3]) -> Question {
    Question {
        parts,
        from,
        classes,
        rows,
        steps,
    }
}

/// The questions of algorithm TEST2, the most significant bits first.
const QUESTIONS: [Question; 16] = [
    ask(Parts::Whole, [4, 3, 15], [1.98215, 2.35817, 2.63523]),
    ask(
        Parts::MiddleClasses,
        [4, 6, 15],
        [-1.03809, -0.651_211, -0.282_167],
    ),
    ask(
        Parts::Classes,
        [0, 4, 16],
        [-0.298_702, 0.119_262, 0.558_497],
    ),
    ask(
        Parts::Corners,
        [8, 2, 12],
        [-0.105_439, 0.015_394_6, 0.135_898],
    ),
    ask(
        Parts::Corners,
        [4, 4, 8],
        [-0.142_891, 0.025_873_6, 0.200_632],
    ),
    ask(
        Parts::MiddleClasses,
        [0, 3, 5],
        [-0.826_319, -0.590_612, -0.368_214],
    ),
    ask(
        Parts::Classes,
        [2, 2, 9],
        [-0.557_409, -0.233_035, 0.053_452_5],
    ),
    ask(
        Parts::Time,
        [7, 3, 4],
        [-0.064_682_6, 0.006_204_76, 0.078_484_7],
    ),
    ask(Parts::Time, [6, 2, 16], [-0.192_387, -0.029_699, 0.215_855]),
    ask(
        Parts::Time,
        [1, 3, 2],
        [-0.039_781_8, -0.005_680_76, 0.029_202_6],
    ),
    ask(
        Parts::MiddleTime,
        [10, 1, 15],
        [-0.53823, -0.369_934, -0.190_235],
    ),
    ask(
        Parts::Corners,
        [6, 2, 10],
        [-0.124_877, 0.029_648_3, 0.139_239],
    ),
    ask(
        Parts::Time,
        [1, 1, 14],
        [-0.101_475, 0.022_561_7, 0.231_971],
    ),
    ask(
        Parts::Corners,
        [5, 6, 4],
        [-0.079_991_5, -0.007_296_16, 0.063_262],
    ),
    ask(
        Parts::Classes,
        [9, 2, 12],
        [-0.272_556, 0.019_424, 0.302_559],
    ),
    ask(
        Parts::Corners,
        [4, 2, 14],
        [-0.164_292, -0.032_118_8, 0.084_633_9],
    ),
];

/// The bits of the four answers: neighbours differ in one bit.
const GRAY: [u32; 4] = [0b00, 0b01, 0b11, 0b10];

/// How much of each class sounds.
type Row = [f64; CLASSES];

/// The picture, each place as the sum of all rows up to its own and all classes up to its own: the sum over a
/// rectangle is then that of four places.
#[derive(Default)]
struct Image {
    sums: Vec<Row>,
}

impl Image {
    fn push(&mut self, row: &Row) {
        let above = self.sums.last().copied().unwrap_or_default();
        let mut sum = 0.0;
        self.sums.push(std::array::from_fn(|class| {
            sum += row[class];
            sum + above[class]
        }));
    }

    /// The sum over `rows` rows and `classes` classes.
    fn area(&self, (row, rows): (usize, usize), (class, classes): (usize, usize)) -> f64 {
        let up_to = |class: usize| {
            let at = |row: usize| match (row, class) {
                (0, _) | (_, 0) => 0.0,
                _ => self.sums[row - 1][class - 1],
            };
            at(row + rows) - at(row)
        };
        up_to(class + classes) - up_to(class)
    }

    /// How much more sounds in the one part of a question's rectangle than in the other, as a logarithm.
    fn answer(&self, question: &Question, row: usize) -> f64 {
        let &Question {
            parts,
            from,
            classes,
            rows,
            ..
        } = question;
        let all = (row, rows);
        let every = (from, classes);
        let area = |rows, classes| self.area(rows, classes);
        // Halves and thirds; of what cannot be divided, the last part has the rest.
        let half =
            |(at, count): (usize, usize)| [(at, count / 2), (at + count / 2, count - count / 2)];
        let thirds = |(at, count): (usize, usize)| {
            let third = count / 3;
            [
                (at, third),
                (at + third, third),
                (at + 2 * third, count - 2 * third),
            ]
        };
        let (one, other) = match parts {
            Parts::Whole => (area(all, every), 0.0),
            Parts::Classes => {
                let [low, high] = half(every);
                (area(all, high), area(all, low))
            }
            Parts::Time => {
                let [early, late] = half(all);
                (area(late, every), area(early, every))
            }
            Parts::Corners => {
                let ([low, high], [early, late]) = (half(every), half(all));
                (
                    area(early, high) + area(late, low),
                    area(early, low) + area(late, high),
                )
            }
            Parts::MiddleClasses => {
                let [low, middle, high] = thirds(every);
                (area(all, middle), area(all, low) + area(all, high))
            }
            Parts::MiddleTime => {
                let [early, middle, late] = thirds(all);
                (area(middle, every), area(early, every) + area(late, every))
            }
        };
        ((1.0 + one) / (1.0 + other)).ln()
    }

    /// The number of the fingerprint that looks at this row and those behind it.
    fn number(&self, row: usize) -> u32 {
        QUESTIONS.iter().fold(0, |bits, question| {
            let answer = self.answer(question, row);
            let passed = question.steps.iter().filter(|step| answer >= **step);
            bits << 2 | GRAY[passed.count()]
        })
    }
}

/// The bins of the transform that are looked at, as runs of one class: the first bin, the one after the last, the class.
static RUNS: LazyLock<Vec<(usize, usize, usize)>> = LazyLock::new(|| {
    let bin = |hertz: f64| (FRAME as f64 * hertz / f64::from(RATE)).round() as usize;
    let class = |bin: usize| {
        let hertz = bin as f64 * f64::from(RATE) / FRAME as f64;
        let octaves = (hertz / A0_HERTZ).log2();
        ((octaves - octaves.floor()) * CLASSES as f64) as usize
    };
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for bin in bin(LOWEST_HERTZ)..bin(HIGHEST_HERTZ) {
        match runs.last_mut() {
            Some((_, to, of)) if *of == class(bin) => *to = bin + 1,
            _ => runs.push((bin, bin + 1, class(bin))),
        }
    }
    runs
});

fn classes(bins: &[Complex<f32>]) -> Row {
    let mut row = [0.0; CLASSES];
    for (from, to, class) in RUNS.iter() {
        let energies = bins[*from..*to].iter().map(Complex::norm_sqr);
        row[*class] += energies.map(f64::from).sum::<f64>();
    }
    row
}

/// The numbers of the fingerprint of samples at [`RATE`].
pub(super) fn numbers(samples: &[i16]) -> Vec<u32> {
    let mut rows: Vec<Row> = Vec::new();
    let full_scale = f32::from(i16::MAX);
    let samples: Vec<f32> = samples
        .iter()
        .map(|sample| f32::from(*sample) / full_scale)
        .collect();
    Frames::new(FRAME, HOP, Window::Hamming).push(&samples, |bins| rows.push(classes(bins)));
    let mut image = Image::default();
    for rows in rows.windows(SMOOTHED.len()) {
        let mut row = [0.0; CLASSES];
        for (other, weight) in rows.iter().zip(SMOOTHED) {
            for (sum, energy) in row.iter_mut().zip(other) {
                *sum += energy * weight;
            }
        }
        let length = row.iter().map(|energy| energy * energy).sum::<f64>().sqrt();
        let is_silent = length < SILENT;
        image.push(&row.map(|energy| if is_silent { 0.0 } else { energy / length }));
    }
    let last = (image.sums.len() + 1).saturating_sub(ROWS);
    (0..last).map(|row| image.number(row)).collect()
}
