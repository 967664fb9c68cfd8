//! MD5 of two streams side by side: that of an archive and those of the files in it.
//!
//! Each step of MD5 waits for the one before, and a processor has room for the steps of a second stream meanwhile: two
//! digests take little longer than one.

/// Bytes of one stream that wait for the other one's. An archive is read in pieces of 256 KiB, and what is in it comes after.
const MOST_WAITING: usize = 512 << 10;

/// The state in which hashing begins (RFC 1321, section 3.3).
const BEGIN: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Two streams that are hashed.
#[derive(Debug, Default)]
pub(super) struct Pair {
    streams: [Stream; 2],
}

#[derive(Debug)]
struct Stream {
    state: [u32; 4],
    /// What came and is not hashed yet begins at `begin`.
    waiting: Vec<u8>,
    begin: usize,
    length: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            state: BEGIN,
            waiting: Vec::new(),
            begin: 0,
            length: 0,
        }
    }
}

impl Stream {
    fn blocks(&self) -> &[[u8; 64]] {
        self.waiting[self.begin..].as_chunks().0
    }

    /// So many blocks are hashed.
    fn pass(&mut self, blocks: usize) {
        self.begin += 64 * blocks;
        if self.begin * 2 > self.waiting.len() {
            self.waiting.drain(..self.begin);
            self.begin = 0;
        }
    }
}

impl Pair {
    /// Takes bytes of one of the two streams.
    pub(super) fn update(&mut self, stream: usize, bytes: &[u8]) {
        let own = &mut self.streams[stream];
        own.length += bytes.len() as u64;
        own.waiting.extend_from_slice(bytes);
        self.together();
        if self.streams[stream].waiting.len() > MOST_WAITING {
            self.alone(stream);
        }
    }

    /// The digest of one stream, which begins anew.
    pub(super) fn finish(&mut self, stream: usize) -> [u8; 16] {
        let own = &mut self.streams[stream];
        let bits = own.length.wrapping_mul(8);
        own.waiting.push(0x80);
        while (own.waiting.len() - own.begin) % 64 != 56 {
            own.waiting.push(0);
        }
        own.waiting.extend_from_slice(&bits.to_le_bytes());
        self.together();
        self.alone(stream);
        let state = std::mem::take(&mut self.streams[stream]).state;
        let mut digest = [0; 16];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }

    /// Hashes what waits of both.
    fn together(&mut self) {
        let [one, other] = &mut self.streams;
        let count = one.blocks().len().min(other.blocks().len());
        let (mut first, mut second) = (one.state, other.state);
        compress(
            (&mut first, &one.blocks()[..count]),
            (&mut second, &other.blocks()[..count]),
        );
        (one.state, other.state) = (first, second);
        one.pass(count);
        other.pass(count);
    }

    /// Hashes what waits of one, whose other has nothing.
    fn alone(&mut self, stream: usize) {
        let own = &mut self.streams[stream];
        let count = own.blocks().len();
        let mut state = own.state;
        compress(
            (&mut state, own.blocks()),
            (&mut BEGIN.clone(), own.blocks()),
        );
        own.state = state;
        own.pass(count);
    }
}

/// How far each step turns (RFC 1321, section 3.4), round by round.
const TURNS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

/// `floor(2^32 * abs(sin(step + 1)))` (RFC 1321, section 3.4).
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// A step of both streams: `$a` and `$e` change.
macro_rules! step {
    ($f:expr, $step:expr, $word:expr, $one:ident, $other:ident, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident, $g:ident, $h:ident, $i:ident) => {
        let turn = TURNS[$step / 16][$step % 4];
        let sum = $a
            .wrapping_add($f($b, $c, $d))
            .wrapping_add(word($one, $word % 16));
        $a = sum
            .wrapping_add(SINES[$step])
            .rotate_left(turn)
            .wrapping_add($b);
        let sum = $e
            .wrapping_add($f($g, $h, $i))
            .wrapping_add(word($other, $word % 16));
        $e = sum
            .wrapping_add(SINES[$step])
            .rotate_left(turn)
            .wrapping_add($g);
    };
}

/// Four steps, after which each name stands for what it stood for.
macro_rules! four {
    ($f:expr, $step:expr, $word:expr, $skip:expr, $one:ident, $other:ident, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident, $g:ident, $h:ident, $i:ident) => {
        step!(
            $f, $step, $word, $one, $other, $a, $b, $c, $d, $e, $g, $h, $i
        );
        step!(
            $f,
            $step + 1,
            $word + $skip,
            $one,
            $other,
            $d,
            $a,
            $b,
            $c,
            $i,
            $e,
            $g,
            $h
        );
        step!(
            $f,
            $step + 2,
            $word + 2 * $skip,
            $one,
            $other,
            $c,
            $d,
            $a,
            $b,
            $h,
            $i,
            $e,
            $g
        );
        step!(
            $f,
            $step + 3,
            $word + 3 * $skip,
            $one,
            $other,
            $b,
            $c,
            $d,
            $a,
            $g,
            $h,
            $i,
            $e
        );
    };
}

/// A round: sixteen steps, each of which takes the word `$skip` after that of the one before.
macro_rules! round {
    ($f:expr, $step:expr, $word:expr, $skip:expr, $($name:ident),*) => {
        four!($f, $step, $word, $skip, $($name),*);
        four!($f, $step + 4, $word + 4 * $skip, $skip, $($name),*);
        four!($f, $step + 8, $word + 8 * $skip, $skip, $($name),*);
        four!($f, $step + 12, $word + 12 * $skip, $skip, $($name),*);
    };
}

fn word(block: &[u8; 64], word: usize) -> u32 {
    let at = 4 * word;
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

/// Takes as many blocks of both as the shorter has into their states (RFC 1321, section 3.4).
#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
fn compress(
    (first, ones): (&mut [u32; 4], &[[u8; 64]]),
    (second, others): (&mut [u32; 4], &[[u8; 64]]),
) {
    let choose = |b: u32, c: u32, d: u32| d ^ (b & (c ^ d));
    // The two halves have no bit in common, and a sum waits for less than an exclusive or.
    let turned = |b: u32, c: u32, d: u32| (b & d).wrapping_add(c & !d);
    let parity = |b: u32, c: u32, d: u32| b ^ c ^ d;
    let last = |b: u32, c: u32, d: u32| c ^ (b | !d);
    for (one, other) in ones.iter().zip(others) {
        let [mut a, mut b, mut c, mut d] = *first;
        let [mut e, mut g, mut h, mut i] = *second;
        round!(choose, 0, 0, 1, one, other, a, b, c, d, e, g, h, i);
        round!(turned, 16, 1, 5, one, other, a, b, c, d, e, g, h, i);
        round!(parity, 32, 5, 3, one, other, a, b, c, d, e, g, h, i);
        round!(last, 48, 0, 7, one, other, a, b, c, d, e, g, h, i);
        for (state, word) in first.iter_mut().zip([a, b, c, d]) {
            *state = state.wrapping_add(word);
        }
        for (state, word) in second.iter_mut().zip([e, g, h, i]) {
            *state = state.wrapping_add(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest as _, Md5};

    use super::*;

    #[test]
    fn both_digests_are_those_that_each_has_alone() {
        let bytes: Vec<u8> = (0..3_000_000_u32)
            .map(|at| (at.wrapping_mul(at) >> 7) as u8)
            .collect();
        let expected = |bytes: &[u8]| -> [u8; 16] { Md5::digest(bytes).into() };
        let mut pair = Pair::default();
        for piece in [1, 63, 64, 65, 4_096, 100_000] {
            let mut begin = 0;
            for (number, whole) in bytes[..600_000].chunks(piece * 3).take(200).enumerate() {
                pair.update(0, whole);
                begin += whole.len();
                // The other stream is shorter, longer, or silent.
                let length = [0, 1, 55, 56, 64, 119, 700, piece, 2 * piece][number % 9];
                let file = &bytes[number..number + length];
                for part in file.chunks(piece) {
                    pair.update(1, part);
                }
                assert_eq!(pair.finish(1), expected(file), "{number} of {piece}");
            }
            assert_eq!(pair.finish(0), expected(&bytes[..begin]), "{piece}");
        }
        pair.update(0, &bytes);
        assert_eq!(pair.finish(0), expected(&bytes));
        assert_eq!(pair.finish(1), expected(b""));
    }
}
