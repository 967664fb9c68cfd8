//! Rust sources as tokens, with what only tests compile left out.

use std::process::Command;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::Visit;

use crate::map::root;

/// One source file.
pub(crate) struct Source {
    /// Below the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    tokens: Vec<(usize, Token)>,
}

/// What the rules look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// Every source file that git knows or would add.
pub(crate) fn all() -> Vec<Source> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "crates",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the sources");
    let listed = String::from_utf8(listed.stdout).expect("paths are text");
    let paths: std::collections::BTreeSet<_> = listed
        .lines()
        .filter(|path| {
            std::path::Path::new(path)
                .extension()
                .is_some_and(|end| end == "rs")
        })
        .collect();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            let stream: TokenStream = text
                .parse()
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            let mut tokens = Vec::new();
            flatten(stream, &mut tokens);
            Some(Source {
                path: path.to_owned(),
                text,
                tokens,
            })
        })
        .collect()
}

/// Tokens in order, without items that are `#[cfg(test)]` and without documentation.
fn flatten(stream: TokenStream, into: &mut Vec<(usize, Token)>) {
    let trees: Vec<_> = stream.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        // `#![..]`: documentation and lints of the file.
        if let (TokenTree::Punct(hash), Some(TokenTree::Punct(bang)), Some(TokenTree::Group(_))) =
            (&trees[at], trees.get(at + 1), trees.get(at + 2))
            && (hash.as_char(), bang.as_char()) == ('#', '!')
        {
            at += 3;
            continue;
        }
        if let (TokenTree::Punct(hash), Some(TokenTree::Group(attribute))) =
            (&trees[at], trees.get(at + 1))
            && hash.as_char() == '#'
            && attribute.delimiter() == Delimiter::Bracket
        {
            let attribute: String = attribute.stream().to_string().split_whitespace().collect();
            at += 2;
            if attribute == "cfg(test)" {
                // The item reaches to its braces or its semicolon.
                while at < trees.len() {
                    let ends = match &trees[at] {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(mark) => mark.as_char() == ';',
                        _ => false,
                    };
                    at += 1;
                    if ends {
                        break;
                    }
                }
            }
            continue;
        }
        let line = trees[at].span().start().line;
        match &trees[at] {
            TokenTree::Group(group) => {
                into.push((line, Token::Mark('(')));
                flatten(group.stream(), into);
                into.push((line, Token::Mark(')')));
            }
            TokenTree::Ident(ident) => into.push((line, Token::Word(ident.to_string()))),
            TokenTree::Punct(mark) => into.push((line, Token::Mark(mark.as_char()))),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    into.push((line, Token::Text(text.value())));
                }
            }
        }
        at += 1;
    }
}

impl Source {
    /// Whether a word stands anywhere in the file.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        self.text.match_indices(word).any(|(at, _)| {
            !self.text[..at].ends_with(is_letter)
                && !self.text[at + word.len()..].starts_with(is_letter)
        })
    }

    /// Every text with its line.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        self.tokens.iter().filter_map(|(line, token)| match token {
            Token::Text(text) => Some((*line, text.clone())),
            _ => None,
        })
    }

    fn words(&self) -> impl Iterator<Item = (usize, &str, Option<&Token>)> {
        self.tokens
            .iter()
            .enumerate()
            .filter_map(|(at, (line, token))| match token {
                Token::Word(word) => Some((
                    *line,
                    word.as_str(),
                    self.tokens.get(at + 1).map(|(_, next)| next),
                )),
                _ => None,
            })
    }

    /// Lines that start a thread, a task or a runtime.
    pub(crate) fn starts(&self) -> Vec<usize> {
        self.words()
            .filter(|&(_, word, next)| {
                matches!(
                    word,
                    "spawn" | "spawn_blocking" | "new_current_thread" | "new_multi_thread"
                ) && next == Some(&Token::Mark('('))
            })
            .map(|(line, ..)| line)
            .collect()
    }

    /// Lines that speak to the terminal.
    pub(crate) fn prints(&self) -> impl Iterator<Item = usize> + '_ {
        self.tokens
            .iter()
            .enumerate()
            .filter_map(|(at, (line, token))| {
                let Token::Word(word) = token else {
                    return None;
                };
                let next = self.tokens.get(at + 1).map(|(_, next)| next);
                let is_macro = matches!(
                    word.as_str(),
                    "println" | "eprintln" | "print" | "eprint" | "dbg"
                ) && next == Some(&Token::Mark('!'));
                let is_stream = matches!(word.as_str(), "stdout" | "stderr")
                    && next == Some(&Token::Mark('('))
                    && self.is_of_io(at);
                (is_macro || is_stream).then_some(*line)
            })
    }

    /// Whether what stands here is `io::stdout`, or `stdout` alone, and not a method or another type's.
    fn is_of_io(&self, at: usize) -> bool {
        match at.checked_sub(1).map(|before| &self.tokens[before].1) {
            Some(Token::Mark(':')) => {
                at >= 3 && self.tokens[at - 3].1 == Token::Word("io".to_owned())
            }
            Some(Token::Mark('.')) => false,
            Some(Token::Word(word)) => word != "fn",
            _ => true,
        }
    }

    /// The crate and the room (the module below its root) that this file belongs to.
    pub(crate) fn room(&self) -> Option<(String, String)> {
        let mut parts = self.path.strip_prefix("crates/")?.split('/');
        let (name, src) = (parts.next()?, parts.next()?);
        let room = parts.next()?.trim_end_matches(".rs");
        (src == "src").then(|| (name.to_owned(), room.to_owned()))
    }

    /// What follows `crate::` in the file, with its line.
    pub(crate) fn rooms_used(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for window in self.tokens.windows(4) {
            if let [
                (line, Token::Word(first)),
                (_, Token::Mark(':')),
                (_, Token::Mark(':')),
                (_, Token::Word(room)),
            ] = window
                && first == "crate"
                && room.chars().next().is_some_and(char::is_lowercase)
            {
                found.push((*line, room.clone()));
            }
        }
        found
    }

    /// Every function with its number of lines, tests included.
    pub(crate) fn functions(&self) -> Vec<(String, usize)> {
        struct Functions(Vec<(String, usize)>);
        impl Functions {
            fn add(&mut self, name: &syn::Ident, block: &syn::Block) {
                let begins = name.span().start().line;
                let ends = block.brace_token.span.close().end().line;
                self.0.push((name.to_string(), ends - begins + 1));
            }
        }
        impl<'a> Visit<'a> for Functions {
            fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
                self.add(&function.sig.ident, &function.block);
                syn::visit::visit_item_fn(self, function);
            }
            fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
                self.add(&function.sig.ident, &function.block);
                syn::visit::visit_impl_item_fn(self, function);
            }
        }
        let file =
            syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path));
        let mut functions = Functions(Vec::new());
        functions.visit_file(&file);
        functions.0
    }
}

/// Whether a text holds something like `--force`.
pub(crate) fn names_a_flag(text: &str) -> bool {
    text.split(|letter: char| letter.is_whitespace() || "`'\"(".contains(letter))
        .any(|word| {
            word.strip_prefix("--").is_some_and(|name| {
                name.len() > 2 && name.starts_with(|c: char| c.is_ascii_lowercase())
            })
        })
}

/// Whether a line holds the number of a plan, a requirement or an issue; an address on the web may.
pub(crate) fn has_a_plan_number(line: &str) -> bool {
    if line.contains("://") {
        return false;
    }
    let lower = line.to_lowercase();
    ["issue ", "issue #", "plan", "req-", "ticket ", "milestone "]
        .iter()
        .any(|word| {
            lower.match_indices(word).any(|(at, _)| {
                let starts = at == 0 || !lower.as_bytes()[at - 1].is_ascii_alphanumeric();
                starts
                    && lower[at + word.len()..]
                        .trim_start_matches('#')
                        .starts_with(|c: char| c.is_ascii_digit())
            })
        })
}
