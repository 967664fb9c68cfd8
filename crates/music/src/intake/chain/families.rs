//! Files of equal content: who they are, before and after a run's changes.

use std::collections::{HashMap, HashSet};

use crate::id::FileId;
use crate::library::known::Known;

/// The files of each content, by its hash.
#[derive(Debug, Default)]
pub(super) struct Families(HashMap<String, Vec<FileId>>);

impl Families {
    /// The families of the library without those who leave, and those among them
    /// that were larger before.
    pub(super) fn without<'a>(
        known: &Known,
        leaving: impl Iterator<Item = &'a FileId>,
    ) -> (Self, Vec<Vec<FileId>>) {
        let leaving: HashSet<_> = leaving.collect();
        let mut rows: Vec<_> = known.files.values().collect();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        let mut before: HashMap<&str, Vec<FileId>> = HashMap::new();
        for row in rows {
            if let Some(hash) = &row.hash {
                before.entry(hash).or_default().push(row.id.clone());
            }
        }
        let mut families = Self::default();
        let mut changed = Vec::new();
        for (hash, members) in before {
            let size = members.len();
            let stay: Vec<_> = members
                .into_iter()
                .filter(|id| !leaving.contains(id))
                .collect();
            if stay.len() < size && !stay.is_empty() {
                changed.push(stay.clone());
            }
            families.0.insert(hash.to_owned(), stay);
        }
        (families, changed)
    }

    /// A family with two more members, who may belong to it already.
    pub(super) fn join(&mut self, hash: &str, original: FileId, copy: FileId) -> Vec<FileId> {
        let family = self.0.entry(hash.to_owned()).or_default();
        for id in [original, copy] {
            if !family.contains(&id) {
                family.push(id);
            }
        }
        family.clone()
    }
}
