//! Finds the way to the next page.

/// The first link that leads on.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The link that is open, and its text so far.
    open: Option<(String, String)>,
    next: Option<String>,
}

/// More text than this says something else than "next".
const LONGEST_TEXT: usize = 200;

impl Links {
    /// A link begins.
    pub(crate) fn open(&mut self, href: Option<Vec<u8>>) {
        self.close();
        let Some(href) = href.map(|href| String::from_utf8_lossy(&href).into_owned()) else {
            return;
        };
        if self.next.is_none() && (href.contains("first=") || href.contains("ctoken=")) {
            self.open = Some((href, String::new()));
        }
    }

    /// Text, perhaps of a link.
    pub(crate) fn text(&mut self, value: &[u8]) {
        if let Some((_, text)) = &mut self.open
            && text.len() < LONGEST_TEXT
        {
            text.push_str(&String::from_utf8_lossy(value));
        }
    }

    /// The link ends.
    pub(crate) fn close(&mut self) {
        if let Some((href, text)) = self.open.take()
            && (text.contains('>') || text.to_lowercase().contains("next"))
        {
            self.next = Some(href.trim().to_owned());
        }
    }

    /// Where it leads, if anywhere.
    pub(crate) fn into_next(mut self) -> Option<String> {
        self.close();
        self.next
    }
}
