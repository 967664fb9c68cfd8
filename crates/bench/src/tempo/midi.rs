//! Writes Standard MIDI Files, as much of them as made songs need.

/// Ticks a second: half a millisecond is finer than anybody plays.
const TICKS: f64 = 2000.0;

/// The channel of drums.
pub const DRUMS: u8 = 9;

/// A note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    /// In seconds.
    pub start: f64,
    /// In seconds.
    pub seconds: f64,
    /// 60 for middle C; on [`DRUMS`] an instrument.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// 0 to 15.
    pub channel: u8,
}

/// A file of one track; times are in seconds, so that a tempo may drift as it likes.
pub fn file(programs: &[(u8, u8)], notes: &[Note]) -> Vec<u8> {
    let ticks = |seconds: f64| (seconds.max(0.0) * TICKS).round() as u32;
    let mut events: Vec<(u32, [u8; 3])> = Vec::with_capacity(notes.len() * 2);
    for note in notes {
        let (start, end) = (ticks(note.start), ticks(note.start + note.seconds));
        events.push((start, [0x90 | note.channel, note.pitch, note.velocity]));
        events.push((end.max(start + 1), [0x80 | note.channel, note.pitch, 0]));
    }
    // At one time an old note ends before a new one begins.
    events.sort_by_key(|(at, bytes)| (*at, bytes[0] & 0xf0));
    // A quarter note is a second long.
    let mut track = vec![0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40];
    for (channel, program) in programs {
        track.extend([0, 0xc0 | channel, *program]);
    }
    let mut now = 0;
    for (at, bytes) in events {
        length(at - now, &mut track);
        track.extend(bytes);
        now = at;
    }
    track.extend([0, 0xff, 0x2f, 0]);
    let mut file = b"MThd\0\0\0\x06\0\0\0\x01".to_vec();
    file.extend((TICKS as u16).to_be_bytes());
    file.extend(b"MTrk");
    file.extend((track.len() as u32).to_be_bytes());
    file.extend(track);
    file
}

/// A number in groups of seven bits, the greatest first.
fn length(ticks: u32, track: &mut Vec<u8>) {
    for group in (0..5).rev() {
        let rest = ticks >> (7 * group);
        if rest > 0 || group == 0 {
            let more = if group > 0 { 0x80 } else { 0 };
            track.push((rest & 0x7f) as u8 | more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_has_them() {
        for (number, bytes) in [
            (0, vec![0]),
            (0x7f, vec![0x7f]),
            (0x80, vec![0x81, 0]),
            (0x2000, vec![0xc0, 0]),
            (0x0fff_ffff, vec![0xff, 0xff, 0xff, 0x7f]),
        ] {
            let mut track = Vec::new();
            length(number, &mut track);
            assert_eq!(track, bytes, "{number:x}");
        }
    }

    #[test]
    fn a_note_begins_and_ends_when_it_should() {
        let note = Note {
            start: 0.5,
            seconds: 0.25,
            pitch: 60,
            velocity: 90,
            channel: 0,
        };
        let file = file(&[(0, 5)], &[note]);
        // 1,000 ticks are 0x87 0x68, 500 are 0x83 0x74.
        let notes = [
            0, 0xc0, 5, 0x87, 0x68, 0x90, 60, 90, 0x83, 0x74, 0x80, 60, 0, 0,
        ];
        assert!(file.windows(notes.len()).any(|bytes| bytes == notes));
        assert_eq!(file[18..22], (file.len() as u32 - 22).to_be_bytes());
    }
}
