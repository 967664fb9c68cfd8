//! "Did you mean ..?": the known name that a mistyped one is nearest to.

/// How much alike two names are, from 0 to 1, for one to be a slip of the other. A guess, between the 0.8 that clap asks
/// for in its own suggestions and a looser 0.7 that also finds a word left out of a long key.
const ALIKE: f64 = 0.75;

/// The one of `known` that `name` is most likely meant to be, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_finds_none() {
        let known = ["root_folder", "acoustid_api_key"];
        assert_eq!(nearest("acoustid_key", known), Some("acoustid_api_key"));
        assert_eq!(nearest("Root-Folder", known), Some("root_folder"));
        assert_eq!(nearest("colour", known), None);
    }
}
