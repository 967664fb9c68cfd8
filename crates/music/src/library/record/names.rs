//! What a passage is called as long as nobody has found out which song it is, and who says so.

use audio::tags::Tags;

/// What a mark says about a passage.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marked<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) performer: Option<&'a str>,
    pub(crate) album: Option<&'a str>,
}

/// A name, and whether marks or tags say it.
pub(crate) type Name<'a> = (Option<&'a str>, Option<&'static str>);

/// The names that marks and tags give a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) title: Name<'a>,
    pub(crate) artist: Name<'a>,
    pub(crate) album: Name<'a>,
}

impl<'a> Names<'a> {
    /// Marks know more than tags.
    pub(crate) fn of(tags: &'a Tags, marked: Option<Marked<'a>>) -> Self {
        let pick = |marked: Option<&'a str>, tagged: Option<&'a String>| match (marked, tagged) {
            (Some(marked), _) => (Some(marked), Some("marks")),
            (None, Some(tagged)) => (Some(tagged.as_str()), Some("tags")),
            (None, None) => (None, None),
        };
        // The tags of an album rip name the album, and none of its tracks.
        let title = tags.title.as_ref().filter(|_| marked.is_none());
        let marked = marked.unwrap_or_default();
        Self {
            title: pick(marked.title, title),
            artist: pick(marked.performer, tags.artist.as_ref()),
            album: pick(marked.album, tags.album.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_know_more_than_tags() {
        let tags = Tags {
            title: Some("Side A".to_owned()),
            artist: Some("Band".to_owned()),
            ..Tags::default()
        };
        let alone = Names::of(&tags, None);
        assert_eq!(alone.title, (Some("Side A"), Some("tags")));
        let marked = Marked {
            performer: Some("Guest"),
            ..Marked::default()
        };
        let names = Names::of(&tags, Some(marked));
        assert_eq!(names.title, (None, None));
        assert_eq!(names.artist, (Some("Guest"), Some("marks")));
        assert_eq!(names.album, (None, None));
    }
}
