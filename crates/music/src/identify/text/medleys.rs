//! Titles that name several songs.

/// The songs that a medley is called after: `Medley: Ash / Bone` is `Ash / Bone`, and so is `Ash / Bone (Medley)`.
pub(super) fn songs_of(text: &str) -> &str {
    const WORD: &str = "medley";
    if !text.contains('/') {
        return text;
    }
    let trimmed = text.trim();
    let is_word = |part: Option<&str>| part.is_some_and(|part| part.eq_ignore_ascii_case(WORD));
    if is_word(trimmed.get(..WORD.len())) {
        let rest = trimmed[WORD.len()..].trim_start();
        if let Some(songs) = rest.strip_prefix([':', '-', '\u{2013}']) {
            return songs.trim_start();
        }
    }
    let at = trimmed.rfind(['(', '[']).unwrap_or(trimmed.len());
    let aside = trimmed[at..].trim_matches(['(', ')', '[', ']']);
    if at > 0 && is_word(Some(aside)) {
        trimmed[..at].trim_end()
    } else {
        text
    }
}
