//! Random frames, their bytes and the tokens that must come out, written without the crate's own encoder.

use std::fmt::Write as _;

use proptest::prelude::*;
use resp::{DecodeError, Decoder, Limits, Token};

/// One reply as the grammar has it.
#[derive(Clone, Debug)]
pub enum Frame {
    Simple(String),
    Error(String),
    BulkError(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Null(&'static str),
    Double(String),
    BigNumber(String),
    Boolean(bool),
    Verbatim(Vec<u8>),
    Array(Vec<Frame>),
    Set(Vec<Frame>),
    Map(Vec<(Frame, Frame)>),
    Push(Vec<Frame>),
    /// Pairs, and the frame that they describe.
    Attribute(Vec<(Frame, Frame)>, Box<Frame>),
}

/// A token with its payload's bytes, comparable across buffers.
pub type Owned = (String, Vec<u8>);

pub fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![9 => nested(), 1 => prop::collection::vec(nested(), 0..4).prop_map(Frame::Push)]
}

fn nested() -> impl Strategy<Value = Frame> {
    scalar().prop_recursive(5, 40, 6, |inner| {
        let pairs = || prop::collection::vec((inner.clone(), inner.clone()), 0..4);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..6).prop_map(Frame::Array),
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Frame::Set),
            1 => pairs().prop_map(Frame::Map),
            1 => (pairs(), inner.clone()).prop_map(|(pairs, value)| Frame::Attribute(pairs, value.into())),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Frame> {
    let bytes = || prop_oneof![prop::collection::vec(any::<u8>(), 0..40), Just(b"\r\n$3\r\n".to_vec())];
    prop_oneof![
        "[^\r\n]{0,60}".prop_map(Frame::Simple),
        "[A-Z]{2,6} [^\r\n]{0,20}".prop_map(Frame::Error),
        bytes().prop_map(Frame::BulkError),
        any::<i64>().prop_map(Frame::Integer),
        bytes().prop_map(Frame::Bulk),
        prop::sample::select(vec!["_", "$-1", "*-1"]).prop_map(Frame::Null),
        prop_oneof![
            any::<f64>().prop_map(|double| double.to_string()),
            Just("-inf".into()),
            Just("nan".into())
        ]
        .prop_map(Frame::Double),
        "[-+]?[0-9]{1,50}".prop_map(Frame::BigNumber),
        any::<bool>().prop_map(Frame::Boolean),
        bytes().prop_map(|text| Frame::Verbatim([b"txt:", &text[..]].concat())),
    ]
}

impl Frame {
    /// Appends the frame's bytes and the tokens expected for it.
    pub fn write(&self, out: &mut Vec<u8>, tokens: &mut Vec<Owned>) {
        match self {
            Self::Simple(text) => line(out, tokens, '+', "Simple", text),
            Self::Error(text) => line(out, tokens, '-', "Error", text),
            Self::Double(text) => line(out, tokens, ',', "Double", text),
            Self::BigNumber(text) => line(out, tokens, '(', "BigNumber", text),
            Self::BulkError(text) => string(out, tokens, '!', "BulkError", text),
            Self::Bulk(text) => string(out, tokens, '$', "Bulk", text),
            Self::Verbatim(text) => string(out, tokens, '=', "Verbatim", text),
            Self::Integer(value) => {
                out.extend_from_slice(format!(":{value}\r\n").as_bytes());
                tokens.push((format!("Integer({value})"), Vec::new()));
            }
            Self::Null(written) => {
                out.extend_from_slice(format!("{written}\r\n").as_bytes());
                tokens.push(("Null".into(), Vec::new()));
            }
            Self::Boolean(value) => {
                out.extend_from_slice(if *value { b"#t\r\n" } else { b"#f\r\n" });
                tokens.push(((if *value { "True" } else { "False" }).to_owned(), Vec::new()));
            }
            Self::Array(elements) => aggregate(out, tokens, '*', "Array", elements),
            Self::Set(elements) => aggregate(out, tokens, '~', "Set", elements),
            Self::Push(elements) => aggregate(out, tokens, '>', "Push", elements),
            Self::Map(pairs) => map(out, tokens, '%', "Map", pairs),
            Self::Attribute(pairs, described) => {
                map(out, tokens, '|', "Attribute", pairs);
                described.write(out, tokens);
            }
        }
    }
}

fn line(out: &mut Vec<u8>, tokens: &mut Vec<Owned>, marker: char, name: &str, text: &str) {
    out.extend_from_slice(format!("{marker}{text}\r\n").as_bytes());
    tokens.push((name.into(), text.as_bytes().to_vec()));
}

fn string(out: &mut Vec<u8>, tokens: &mut Vec<Owned>, marker: char, name: &str, text: &[u8]) {
    out.extend_from_slice(format!("{marker}{}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
    tokens.push((name.into(), text.to_vec()));
}

fn aggregate(out: &mut Vec<u8>, tokens: &mut Vec<Owned>, marker: char, name: &str, elements: &[Frame]) {
    out.extend_from_slice(format!("{marker}{}\r\n", elements.len()).as_bytes());
    tokens.push((format!("{name}({})", elements.len()), Vec::new()));
    elements.iter().for_each(|element| element.write(out, tokens));
}

fn map(out: &mut Vec<u8>, tokens: &mut Vec<Owned>, marker: char, name: &str, pairs: &[(Frame, Frame)]) {
    out.extend_from_slice(format!("{marker}{}\r\n", pairs.len()).as_bytes());
    tokens.push((format!("{name}({})", pairs.len()), Vec::new()));
    for (key, value) in pairs {
        key.write(out, tokens);
        value.write(out, tokens);
    }
}

/// What a decoder makes of a stream that comes in pieces.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub tokens: Vec<Owned>,
    /// Offsets in the stream at which the tokens so far make complete frames.
    pub boundaries: Vec<u64>,
    pub error: Option<DecodeError>,
}

/// Feeds the pieces, and drops consumed bytes after those pieces that `releases` says yes to (again from its
/// start when it ends).
pub fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, releases: &[bool], limits: Limits) -> Outcome {
    let mut decoder = Decoder::new(limits);
    let mut outcome = Outcome { tokens: Vec::new(), boundaries: Vec::new(), error: None };
    let mut buffer = Vec::new();
    let mut released = 0;
    let mut releases = releases.iter().cycle();
    // A decoder may not answer before the bytes that it called missing are there.
    let mut answer_from = 0;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&buffer) {
                Ok(Some(token)) => {
                    assert!(released + buffer.len() >= answer_from, "a token came before the missing bytes");
                    outcome.tokens.push(owned(&token, &buffer));
                    if decoder.at_boundary() {
                        outcome.boundaries.push((released + decoder.consumed()) as u64);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&buffer), Err(error), "an error stays");
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
        answer_from = released + buffer.len() + decoder.missing(buffer.len());
        if releases.next() == Some(&true) {
            let count = decoder.release();
            buffer.drain(..count);
            released += count;
        }
    }
    outcome
}

fn owned(token: &Token, buffer: &[u8]) -> Owned {
    let (name, range) = match token {
        Token::Simple(range) => ("Simple", range),
        Token::Error(range) => ("Error", range),
        Token::BulkError(range) => ("BulkError", range),
        Token::Bulk(range) => ("Bulk", range),
        Token::Double(range) => ("Double", range),
        Token::BigNumber(range) => ("BigNumber", range),
        Token::Verbatim(range) => ("Verbatim", range),
        other => {
            let mut name = String::new();
            write!(name, "{other:?}").expect("writing to a String");
            return (name, Vec::new());
        }
    };
    (name.into(), buffer[range.clone()].to_vec())
}

/// Cuts a stream into pieces of the given sizes, used in a cycle.
pub fn cut<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at(size.clamp(1, stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}
