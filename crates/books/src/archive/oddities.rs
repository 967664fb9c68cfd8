//! What is odd about an archive and no harm. Of 200,000 oddities, the first tell what there is to tell.

/// Oddities that are told in full.
const MOST: usize = 50;

/// Characters of one: names of files may have 64 KiB.
const LONGEST: usize = 500;

/// Sentences about an archive.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    told: Vec<String>,
    more: u64,
}

impl Oddities {
    /// Adds one.
    pub(super) fn push(&mut self, oddity: String) {
        if self.told.len() < MOST {
            self.told.push(shortened(oddity));
        } else {
            self.more += 1;
        }
    }

    /// All that are told, and how many more there are.
    pub(super) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more like these", self.more));
        }
        self.told
    }
}

/// What is told of an archive in words that are partly its own.
pub(super) fn shortened(mut sentence: String) -> String {
    if let Some((end, _)) = sentence.char_indices().nth(LONGEST) {
        sentence.truncate(end);
        sentence.shrink_to_fit();
        sentence.push_str("..");
    }
    sentence
}
