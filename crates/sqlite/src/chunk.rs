//! Lists longer than SQLite's limit on variables, for the reading side.

use crate::error::Error;

/// The most variables one statement can have, SQLite's default since 3.32.
pub const MAX_VARIABLES: usize = 32_766;

/// Calls `work` with parts of `items`, each small enough to be bound with `per_item` variables per item.
///
/// ```
/// let mut sizes = Vec::new();
/// let ids: Vec<i64> = (0..70_000).collect();
/// sqlite::each_chunk(&ids, 1, |chunk| {
///     sizes.push(chunk.len());
///     Ok::<_, sqlite::Error>(())
/// })?;
/// assert_eq!(sizes, [32_766, 32_766, 4_468]);
/// # Ok::<_, sqlite::Error>(())
/// ```
pub fn each_chunk<'a, I, E>(
    items: &'a [I],
    per_item: usize,
    work: impl FnMut(&'a [I]) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<Error>,
{
    let size = (MAX_VARIABLES / per_item.max(1)).max(1);
    items.chunks(size).try_for_each(work)
}

/// `count` question marks for a list of values, such as `?, ?, ?`.
pub fn placeholders(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_separated() {
        assert_eq!(placeholders(0), "");
        assert_eq!(placeholders(1), "?");
        assert_eq!(placeholders(3), "?, ?, ?");
    }
}
