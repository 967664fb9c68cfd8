//! Divides a source into lists of files for as many processes as there are to be.

use run::Cancel;
use serde::Serialize;

use crate::error::Result;
use crate::heard::list;
use crate::heard::place::Place;
use crate::heard::source::Source;

/// What a source was divided into.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shards {
    /// Files in the lists.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Names of the lists, in the place they were written to.
    pub lists: Vec<String>,
}

/// The most bytes of a list: a million paths of 256 bytes.
const MAX_LIST: u64 = 256 << 20;

/// Reads the list of this number, counted from 0.
///
/// # Errors
///
/// When it is not there, cannot be read, or is too large.
pub fn read(lists: &Place, number: u32) -> Result<Vec<u8>> {
    let name = name_of(number as usize);
    lists
        .get(&name, MAX_LIST)
        .map_err(|error| lists.failed(&format!("{name}: {error}")))
}

fn name_of(number: usize) -> String {
    format!("shard-{number:05}.txt")
}

/// Writes `count` lists of the files in `source` to `out`, with as many bytes of audio in each as can be.
///
/// A list is a stretch of the source in order, so that the files of a folder stay together. The source is listed twice,
/// once for its bytes; memory holds one list.
///
/// # Errors
///
/// When the source cannot be listed, or a list not be written.
pub fn write(source: &Source, out: &Place, count: usize, cancel: &Cancel) -> Result<Shards> {
    let mut shards = Shards::default();
    source.walk(cancel, |_, folder| {
        for file in folder.iter().flat_map(|folder| &folder.files) {
            shards.files += 1;
            shards.bytes += file.0.size();
        }
        Ok(())
    })?;
    let (mut passed, mut list) = (0_u64, Vec::new());
    let mut put = |number: usize, list: Vec<u8>| {
        let name = name_of(number);
        let failed = |error: blob::Error| out.failed(&error);
        out.put(&name, list).map_err(failed)?;
        shards.lists.push(name);
        Ok::<_, crate::Error>(())
    };
    let mut number = 0;
    source.walk(cancel, |_, folder| {
        for (file, _) in folder.iter().flat_map(|folder| &folder.files) {
            // By the middle of a file, so that a large one goes where most of it lies.
            let middle = u128::from(passed) + u128::from(file.size() / 2);
            let fair = middle * count as u128 / u128::from(shards.bytes.max(1));
            let fair = usize::try_from(fair).unwrap_or(count).min(count - 1);
            while number < fair {
                put(number, std::mem::take(&mut list))?;
                number += 1;
            }
            list::write(&mut list, file.path())?;
            passed += file.size();
        }
        Ok(())
    })?;
    while number < count {
        put(number, std::mem::take(&mut list))?;
        number += 1;
    }
    Ok(shards)
}
