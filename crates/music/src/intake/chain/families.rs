//! Files of equal content: who they are, before and after a run's changes.

use std::collections::{HashMap, HashSet};

use crate::id::FileId;
use crate::library::known::Known;
use crate::library::record::Family;

/// Those who are to leave the files of a content, by its hash. Who is there is read where it is written: another
/// program may have recorded some meanwhile.
#[derive(Debug, Default)]
pub(super) struct Families(HashMap<String, Vec<FileId>>);

impl Families {
    /// The families of the library without those who leave, and those among them
    /// that were larger before or are linked with files that are not there.
    pub(super) fn without<'a>(
        known: &Known,
        leaving: impl Iterator<Item = &'a FileId>,
    ) -> (Self, Vec<Family>) {
        let leaving: HashSet<_> = leaving.collect();
        let mut families = Self::default();
        let (mut staying, mut torn) = (HashSet::new(), HashSet::new());
        for row in known.files.values() {
            let Some(hash) = &row.hash else { continue };
            if leaving.contains(&row.id) {
                let leave = families.0.entry(hash.clone()).or_default();
                leave.push(row.id.clone());
                continue;
            }
            staying.insert(hash);
            if row.has_torn_links {
                torn.insert(hash);
            }
        }
        let changed = staying
            .into_iter()
            .filter(|hash| torn.contains(hash) || families.0.contains_key(*hash))
            .map(|hash| families.of(hash))
            .collect();
        (families, changed)
    }

    /// A family with two more members, who may belong to it already.
    pub(super) fn join(&mut self, hash: &str, original: &FileId, copy: &FileId) -> Family {
        if let Some(leaving) = self.0.get_mut(hash) {
            leaving.retain(|id| id != original && id != copy);
        }
        self.of(hash)
    }

    fn of(&self, hash: &str) -> Family {
        Family {
            hash: hash.to_owned(),
            leaving: self.0.get(hash).cloned().unwrap_or_default(),
        }
    }
}
