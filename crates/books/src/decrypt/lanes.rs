//! SHA-1 of sixteen messages side by side.
//!
//! `gpg` has 65 MB hashed for each key by default, twice for a key of 256 bits, and a processor hashes one message as fast
//! as each step can wait for the one before. Several messages do not wait for each other: with vectors of 256 bits sixteen
//! take as long as seven one after the other, with 512 bits as four.
//!
//! The messages are those of RFC 9580, section 3.7.1.3: zeros, and then salt and passphrase over and over.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use pulp::{Arch, Simd, WithSimd};

/// Messages side by side: as many words as the widest vector has.
pub(super) const LANES: usize = 16;

/// A word of each message.
type Words = [u32; LANES];

/// A block of each message.
type Block = [Words; 16];

/// The state in which hashing begins (FIPS 180-4, section 5.3.1).
const BEGIN: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// A message: so many zeros, and then `count` bytes of `once` over and over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) zeros: usize,
    pub(super) once: &'a [u8],
    pub(super) count: usize,
}

impl Message<'_> {
    fn length(&self) -> usize {
        self.zeros + self.count
    }

    /// Blocks with the mark and the length at its end.
    fn blocks(&self) -> usize {
        (self.length() + 9).div_ceil(64)
    }

    /// A byte of it, as it is hashed.
    fn byte(&self, at: usize) -> u8 {
        if at < self.zeros {
            return 0;
        }
        if at < self.length() {
            return self.once[(at - self.zeros) % self.once.len()];
        }
        let end = 64 * self.blocks();
        match at {
            _ if at == self.length() => 0x80,
            _ if at + 8 >= end && at < end => {
                let bits = (8 * self.length() as u64).to_be_bytes();
                bits[at + 8 - end]
            }
            _ => 0,
        }
    }

    fn word(&self, block: usize, word: usize) -> u32 {
        let at = 64 * block + 4 * word;
        u32::from_be_bytes([0, 1, 2, 3].map(|byte| self.byte(at + byte)))
    }
}

/// Messages for one go that is worth it; with fewer each is hashed sooner by itself. Sixteen with vectors of 256 bits take
/// as long as seven one after the other, as `bench-books keys` measures it.
pub(super) fn worthwhile() -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    match Arch::new() {
        Arch::Scalar => None,
        _ => Some(8),
    }
    // Elsewhere one message has instructions of its own, and vectors are short.
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// The digests of up to [`LANES`] messages that are equally long but for their zeros, and have a `once` of the same length.
pub(super) fn digests(messages: &[Message<'_>]) -> Vec<[u8; 20]> {
    let Some(first) = messages.first() else {
        return Vec::new();
    };
    let lanes: [Message<'_>; LANES] =
        std::array::from_fn(|lane| *messages.get(lane).unwrap_or(first));
    let states = Arch::new().dispatch(Hashing { lanes: &lanes });
    let states = states.iter().take(messages.len());
    states
        .map(|state| {
            let mut digest = [0; 20];
            for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
            digest
        })
        .collect()
}

struct Hashing<'a> {
    lanes: &'a [Message<'a>; LANES],
}

impl Hashing<'_> {
    fn block(&self, block: usize) -> Block {
        std::array::from_fn(|word| std::array::from_fn(|lane| self.lanes[lane].word(block, word)))
    }

    /// The blocks that come over and over, from the second on.
    fn period(&self) -> Vec<Block> {
        let once = self.lanes[0].once.len();
        // Whole blocks and whole repetitions meet at their least common multiple.
        let mut blocks = 1;
        while blocks * 64 % once != 0 {
            blocks += 1;
        }
        // A second block is within the repetitions only if the message is long enough; all of them are.
        (1..=blocks).map(|block| self.block(block)).collect()
    }
}

impl WithSimd for Hashing<'_> {
    type Output = [[u32; 5]; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let mut state = BEGIN.map(|word| [word; LANES]);
        let whole = self.lanes.iter().map(|lane| lane.length() / 64).min();
        let whole = whole.unwrap_or_default();
        if whole > 0 {
            compress(&mut state, &self.block(0));
        }
        if whole > 1 {
            let period = self.period();
            for block in 1..whole {
                compress(&mut state, &period[(block - 1) % period.len()]);
            }
        }
        let last = self.lanes.iter().map(Message::blocks).max();
        let mut ended = [[0; 5]; LANES];
        for block in whole..last.unwrap_or_default() {
            compress(&mut state, &self.block(block));
            for (lane, ended) in ended.iter_mut().enumerate() {
                if block + 1 == self.lanes[lane].blocks() {
                    *ended = state.map(|words| words[lane]);
                }
            }
        }
        ended
    }
}

/// A round: `$e` and `$b` change, and the names move on by one for the next.
macro_rules! round {
    ($f:expr, $k:expr, $w:expr, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident) => {
        for i in 0..LANES {
            $e[i] = $e[i]
                .wrapping_add($a[i].rotate_left(5))
                .wrapping_add($f($b[i], $c[i], $d[i]))
                .wrapping_add($k)
                .wrapping_add($w[i]);
            $b[i] = $b[i].rotate_left(30);
        }
    };
}

/// The words of round `$t` from the sixteenth on, in place of those of sixteen rounds before.
macro_rules! expand {
    ($w:ident, $t:expr) => {
        if $t >= 16 {
            for i in 0..LANES {
                let word = $w[($t + 13) % 16][i]
                    ^ $w[($t + 8) % 16][i]
                    ^ $w[($t + 2) % 16][i]
                    ^ $w[$t % 16][i];
                $w[$t % 16][i] = word.rotate_left(1);
            }
        }
    };
}

/// Five rounds from `$t` on, after which each name stands for what it stood for.
macro_rules! five {
    ($f:expr, $k:expr, $w:ident, $t:expr, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident) => {
        expand!($w, $t);
        round!($f, $k, $w[$t % 16], $a, $b, $c, $d, $e);
        expand!($w, $t + 1);
        round!($f, $k, $w[($t + 1) % 16], $e, $a, $b, $c, $d);
        expand!($w, $t + 2);
        round!($f, $k, $w[($t + 2) % 16], $d, $e, $a, $b, $c);
        expand!($w, $t + 3);
        round!($f, $k, $w[($t + 3) % 16], $c, $d, $e, $a, $b);
        expand!($w, $t + 4);
        round!($f, $k, $w[($t + 4) % 16], $b, $c, $d, $e, $a);
    };
}

macro_rules! twenty {
    ($f:expr, $k:expr, $w:ident, $t:expr, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident) => {
        five!($f, $k, $w, $t, $a, $b, $c, $d, $e);
        five!($f, $k, $w, $t + 5, $a, $b, $c, $d, $e);
        five!($f, $k, $w, $t + 10, $a, $b, $c, $d, $e);
        five!($f, $k, $w, $t + 15, $a, $b, $c, $d, $e);
    };
}

/// Takes a block of each message into its state (FIPS 180-4, section 6.1.2). Written out, so that states and blocks stay
/// in registers.
#[inline(always)]
#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
fn compress(state: &mut [Words; 5], block: &Block) {
    let mut w = *block;
    let choose = |b: u32, c: u32, d: u32| d ^ (b & (c ^ d));
    let parity = |b: u32, c: u32, d: u32| b ^ c ^ d;
    let majority = |b: u32, c: u32, d: u32| (b & c) | (d & (b | c));
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    twenty!(choose, 0x5a82_7999_u32, w, 0, a, b, c, d, e);
    twenty!(parity, 0x6ed9_eba1_u32, w, 20, a, b, c, d, e);
    twenty!(majority, 0x8f1b_bcdc_u32, w, 40, a, b, c, d, e);
    twenty!(parity, 0xca62_c1d6_u32, w, 60, a, b, c, d, e);
    for (state, words) in state.iter_mut().zip([a, b, c, d, e]) {
        for i in 0..LANES {
            state[i] = state[i].wrapping_add(words[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use sha1::{Digest as _, Sha1};

    use super::*;

    #[test]
    fn many_messages_have_the_digests_that_each_has_alone() {
        for length in [9, 28, 64, 65, 200] {
            for count in [0, 1, 54, 55, 56, 63, 64, 119, 120, 128, 1_000, 70_001] {
                let texts: Vec<Vec<u8>> = (0..LANES as u8)
                    .map(|lane| (0..length).map(|at| lane.wrapping_mul(31) ^ at).collect())
                    .collect();
                for used in [1, 5, LANES] {
                    let messages: Vec<Message<'_>> = texts[..used]
                        .iter()
                        .enumerate()
                        .map(|(lane, once)| Message {
                            zeros: lane % 3,
                            once,
                            count,
                        })
                        .collect();
                    let found = digests(&messages);
                    assert_eq!(found.len(), used);
                    for (message, found) in messages.iter().zip(found) {
                        let once = message.once.iter().cycle().take(message.count);
                        let zeros = std::iter::repeat_n(&0, message.zeros);
                        let bytes: Vec<u8> = zeros.chain(once).copied().collect();
                        let expected: [u8; 20] = Sha1::digest(&bytes).into();
                        assert_eq!(found, expected, "{length} {count} {used}");
                    }
                }
            }
        }
    }
}
