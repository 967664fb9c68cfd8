//! Books cut into requests whose URLs are as long as GRIN takes them.

/// A request's URL is no longer than this. What the predecessor has found GRIN to take.
pub(crate) const LONGEST_URL: usize = 7_500;

/// Where to ask.
pub(crate) const SEARCH: &str =
    "_barcode_search?execute_query=true&format=text&mode=full&barcodes=";

/// Why some books are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For the first time, or together with books that are.
    First,
    /// Because an answer was silent about them, and nothing else is left to ask for: what this one says counts.
    Again,
    /// One book alone, because its line could not be trusted.
    Alone,
}

/// Books to be asked for in one request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) asked: Vec<String>,
    /// A book that GRIN knows, whose line shows that the answer is whole.
    pub(crate) witness: Option<String>,
    pub(crate) kind: Kind,
}

/// Cuts barcodes into groups whose URLs are short enough, of at most `most`. `base` is the length of the URL without
/// them.
pub(crate) fn cut(barcodes: Vec<String>, base: usize, most: u32) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut length = usize::MAX;
    for barcode in barcodes {
        let encoded: usize = url::form_urlencoded::byte_serialize(barcode.as_bytes())
            .map(str::len)
            .sum();
        length = length.saturating_add(encoded + 1);
        match groups.last_mut() {
            Some(group) if length <= LONGEST_URL && group.len() < most as usize => {
                group.push(barcode);
            }
            _ => {
                length = base + encoded;
                groups.push(vec![barcode]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_short_and_no_barcode_is_lost() {
        let barcodes: Vec<_> = (0..2000).map(|n| format!("{n:014}")).collect();
        let groups = cut(barcodes.clone(), 120, 6_000);
        assert_eq!(groups.concat(), barcodes);
        assert_eq!(groups[0].len(), (7_500 - 120 + 1) / 15);
        let odd = vec!["$".repeat(3_000), "x".into(), "y".repeat(8_000)];
        assert_eq!(cut(odd, 120, 6_000).len(), 3);
        assert_eq!(cut(barcodes, 120, 30).len(), 67);
    }
}
