//! The paths that a Rust source names: `use` trees and paths in code, without comments, strings and `#[cfg(test)]` items.
//!
//! A tokenizer and a walk, 150 lines instead of a parser crate: what matters here are words joined by `::`, and braces.

/// A path and the line (from 1) that it starts at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub line: usize,
    pub segments: Vec<String>,
}

/// All paths of two or more segments, and what a `use` names alone. A `*` stands as a segment.
pub fn named_paths(source: &str) -> Vec<NamedPath> {
    let tokens = without_tests(tokens(source));
    let word = |at: usize| tokens.get(at).filter(|token| token.is_word()).map(|token| token.text.as_str());
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
    // For every open brace: the path before it where it opens a `use` group.
    let mut groups: Vec<Option<Vec<String>>> = Vec::new();
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let line = tokens[at].line;
        let is_global = is(at, "::") && word(at + 1).is_some() && (at == 0 || !(tokens[at - 1].is_word() || is(at - 1, ">")));
        if word(at).is_some() || is_global {
            if at > 0 && is(at - 1, "as") {
                at += 1;
                continue;
            }
            let in_use = at > 0 && is(at - 1, "use");
            let prefix = groups.last().cloned().flatten();
            let in_group = prefix.is_some();
            let mut segments = prefix.unwrap_or_default();
            at += usize::from(is_global);
            segments.extend(word(at).map(str::to_owned));
            at += 1;
            while is(at, "::") && (word(at + 1).is_some() || is(at + 1, "*")) {
                segments.push(tokens[at + 1].text.clone());
                at += 2;
            }
            if is(at, "::") && is(at + 1, "{") {
                groups.push(Some(segments));
                at += 2;
            } else if segments.len() > 1 || in_use || in_group {
                paths.push(NamedPath { line, segments });
            }
            continue;
        }
        match tokens[at].text.as_str() {
            // `use {wgpu::Buffer, glam};`
            "{" => groups.push((at > 0 && is(at - 1, "use")).then(Vec::new)),
            "}" => drop(groups.pop()),
            _ => {}
        }
        at += 1;
    }
    paths
}

#[derive(Clone, Debug)]
struct Token {
    line: usize,
    text: String,
}

impl Token {
    fn is_word(&self) -> bool {
        const NO_PATH: [&str; 7] = ["use", "as", "pub", "mut", "ref", "in", "return"];
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_') && !NO_PATH.contains(&self.text.as_str())
    }
}

/// Words, `::`, and single other characters; comments, strings, characters, lifetimes and numbers are left out.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    let starts = |at: usize, text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let start = at;
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|&&c| c != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            while at < chars.len() {
                depth += i32::from(starts(at, "/*")) - i32::from(starts(at, "*/"));
                at += if starts(at, "/*") || starts(at, "*/") { 2 } else { 1 };
                if depth == 0 {
                    break;
                }
            }
        } else if let Some(hashes) = raw_string(&chars[at..]) {
            let end = format!("\"{}", "#".repeat(hashes));
            at += chars[at..].iter().take_while(|&&c| c != '"').count() + 1;
            while at < chars.len() && !starts(at, &end) {
                at += 1;
            }
            at += end.len();
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if chars[at] == '\'' {
            let is_lifetime = chars.get(at + 1).is_some_and(|&c| is_word(c)) && chars.get(at + 2) != Some(&'\'');
            at += if chars.get(at + 1) == Some(&'\\') { 3 } else { 1 };
            at += chars[at.min(chars.len())..].iter().take_while(|&&c| if is_lifetime { is_word(c) } else { c != '\'' }).count();
            at += usize::from(!is_lifetime);
        } else if is_word(chars[at]) {
            at += chars[at..].iter().take_while(|&&c| is_word(c)).count();
            found.push(Token { line, text: chars[start..at].iter().collect() });
        } else if starts(at, "::") {
            at += 2;
            found.push(Token { line, text: "::".to_owned() });
        } else {
            at += 1;
            if !chars[start].is_whitespace() {
                found.push(Token { line, text: chars[start].to_string() });
            }
        }
        line += chars[start..at.min(chars.len())].iter().filter(|&&c| c == '\n').count();
    }
    found
}

/// The number of `#` where a raw string starts here.
fn raw_string(chars: &[char]) -> Option<usize> {
    let rest = chars.strip_prefix(&['b']).unwrap_or(chars).strip_prefix(&['r'])?;
    let hashes = rest.iter().take_while(|&&c| c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

/// Leaves out each item behind `#[cfg(test)]` or `#[cfg(all(test, ...))]`, up to its closing brace or semicolon.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const MARKS: [&[&str]; 2] = [&["#", "[", "cfg", "(", "test", ")"], &["#", "[", "cfg", "(", "all", "(", "test", ","]];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_here = |mark: &&[&str]| mark.iter().enumerate().all(|(i, text)| tokens.get(at + i).is_some_and(|token| token.text == *text));
        if !MARKS.iter().any(is_here) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0;
        at += tokens[at..].iter().position(|token| token.text == "]").unwrap_or(0) + 1;
        while let Some(token) = tokens.get(at) {
            at += 1;
            depth += i32::from(token.text == "{") - i32::from(token.text == "}");
            if depth == 0 && (token.text == "}" || token.text == ";") {
                break;
            }
        }
    }
    kept
}

#[test]
fn paths_are_found_in_use_trees_code_and_attributes_with_their_lines() {
    let source = "use crate::{gpu::Gpu, scene::{Camera, self}, seed as s};\nuse wgpu;\n#[derive(clap::Args)]\nfn f(x: &'a ::egui::Ui) -> Vec<u8> {\n\
                  let c = '\\''; let v = Vec::<u8>::new(); super::super::store::open(x.y, \"burn::x\") }\nuse {anyhow::Context, super::a::*};";
    let found: Vec<_> = named_paths(source).into_iter().map(|path| (path.line, path.segments.join("::"))).collect();
    let expected = [
        (1, "crate::gpu::Gpu"),
        (1, "crate::scene::Camera"),
        (1, "crate::scene::self"),
        (1, "crate::seed"),
        (2, "wgpu"),
        (3, "clap::Args"),
        (4, "egui::Ui"),
        (5, "super::super::store::open"),
        (6, "anyhow::Context"),
        (6, "super::a::*"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn comments_strings_and_tests_name_nothing() {
    let source = "//! [`crate::app`]\n/* wgpu::A /* burn::B */ cpal::C */\nconst A: &str = r#\"egui::\"D\"#;\nconst B: char = '\"';\n\
                  #[cfg(test)]\nmod tests { use crate::app::X; fn f() { crate::ui::g(); } }\n#[cfg(test)]\nuse winit::Y;\n\
                  #[cfg(all(test, unix))]\nmod more { use egui::Z; }\n#[cfg(all(unix, feature))]\nuse crate::seed::Z;";
    assert_eq!(named_paths(source), [NamedPath { line: 12, segments: ["crate", "seed", "Z"].map(str::to_owned).to_vec() }]);
}
