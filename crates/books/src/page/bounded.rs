//! What the tokenizer keeps of a page between two tags, within bounds.
//!
//! A page is foreign data: it may hold a heading of 260 MB, or an attribute that never ends. Whatever is longer than
//! anything that makes sense is cut, so that memory does not grow with it.

use html5gum::{Emitter, ForwardingEmitter, State};

/// Bytes of text between two tags, and of an attribute's value. Titles of books and addresses are far shorter.
const LONGEST_TEXT: usize = 64 * 1024;

/// Bytes of a tag's or an attribute's name. The longest of HTML has 21.
const LONGEST_NAME: usize = 1_000;

/// Passes on what is read, and no more than fits. Comments and errors of the markup are left out: nothing uses them, and
/// finding the errors takes a look at every byte.
pub(crate) struct Bounded<E> {
    emitter: E,
    text: usize,
    name: usize,
    value: usize,
}

impl<E> Bounded<E> {
    pub(crate) fn new(emitter: E) -> Self {
        Self {
            emitter,
            text: 0,
            name: 0,
            value: 0,
        }
    }
}

/// As much of `bytes` as fits behind `used` of `most` bytes.
fn fitting<'a>(used: &mut usize, most: usize, bytes: &'a [u8]) -> &'a [u8] {
    let fits = bytes.len().min(most - (*used).min(most));
    *used += fits;
    &bytes[..fits]
}

impl<E: Emitter> ForwardingEmitter for Bounded<E> {
    type Token = E::Token;

    fn inner(&mut self) -> &mut impl Emitter<Token = E::Token> {
        &mut self.emitter
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn emit_string(&mut self, text: &[u8]) {
        let text = fitting(&mut self.text, LONGEST_TEXT, text);
        self.emitter.emit_string(text);
    }

    fn init_start_tag(&mut self) {
        self.name = 0;
        self.emitter.init_start_tag();
    }

    fn init_end_tag(&mut self) {
        self.name = 0;
        self.emitter.init_end_tag();
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        // What came before it has been given out.
        self.text = 0;
        self.emitter.emit_current_tag()
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        let name = fitting(&mut self.name, LONGEST_NAME, name);
        self.emitter.push_tag_name(name);
    }

    fn init_attribute(&mut self) {
        self.name = 0;
        self.value = 0;
        self.emitter.init_attribute();
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        let name = fitting(&mut self.name, LONGEST_NAME, name);
        self.emitter.push_attribute_name(name);
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        let value = fitting(&mut self.value, LONGEST_TEXT, value);
        self.emitter.push_attribute_value(value);
    }

    fn push_comment(&mut self, _: &[u8]) {}

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
}
