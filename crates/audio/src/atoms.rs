//! Boxes of an MP4 file: where they are, without their content.

use std::io;

use crate::input::Input;

/// Boxes looked at in one level; a music file has about ten.
const MAX_BOXES: usize = 10_000;

/// A box: its type and where its content lies in the file.
#[derive(Clone, Copy)]
pub(crate) struct Atom {
    pub kind: [u8; 4],
    /// Offset of the four bytes of the type.
    pub kind_at: u64,
    pub body: u64,
    pub end: u64,
    /// It says that it goes on behind `end`.
    pub is_cut: bool,
}

/// The boxes between two offsets.
pub(crate) fn children(input: &mut Input, mut at: u64, end: u64) -> io::Result<Vec<Atom>> {
    let mut atoms = Vec::new();
    while at + 8 <= end {
        let Some([s0, s1, s2, s3, kind @ ..]) = input.array_at::<8>(at)? else {
            break;
        };
        let (header, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => (8, end - at),
            1 => (
                16,
                input.array_at::<8>(at + 8)?.map_or(0, u64::from_be_bytes),
            ),
            size => (8, u64::from(size)),
        };
        if size < header || atoms.len() == MAX_BOXES {
            break;
        }
        // A box that runs over its parent's end is cut: the last one of a truncated file does.
        let atom_end = at.saturating_add(size).min(end);
        atoms.push(Atom {
            kind,
            kind_at: at + 4,
            body: at + header,
            end: atom_end,
            is_cut: at.saturating_add(size) > end,
        });
        at = atom_end;
    }
    Ok(atoms)
}

pub(crate) fn find(atoms: &[Atom], kind: [u8; 4]) -> Option<Atom> {
    atoms.iter().copied().find(|atom| atom.kind == kind)
}

/// The box at the end of a path of types, the first of each type.
pub(crate) fn descend(input: &mut Input, from: Atom, path: &[[u8; 4]]) -> io::Result<Option<Atom>> {
    let mut at = from;
    for kind in path {
        match find(&children(input, at.body, at.end)?, *kind) {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}
