//! A strict reader of the text format 0.0.4: stricter than Prometheus, which forgives much.

use std::collections::BTreeMap;

/// Every sample, by its name with labels.
///
/// # Panics
/// On anything that the format, or the rules for good names, do not allow.
#[track_caller]
pub(super) fn samples(page: &str) -> BTreeMap<String, f64> {
    assert!(page.ends_with('\n'), "the last line has no end");
    let (mut samples, mut seen) = (BTreeMap::new(), Vec::new());
    let (mut helped, mut typed) = (String::new(), (String::new(), String::new()));
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap_or_else(|| panic!("no text in {line:?}"));
            assert!(!seen.contains(&name), "{name} is there twice");
            assert!(text.ends_with('.') && !text.contains('\\'), "{line:?}");
            seen.push(name);
            helped = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap_or_else(|| panic!("no type in {line:?}"));
            assert_eq!(name, helped, "TYPE does not follow the HELP of the same metric");
            assert!(["counter", "gauge"].contains(&kind), "{line:?}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line:?}");
            typed = (name.to_owned(), kind.to_owned());
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value in {line:?}"));
            let name = series.split('{').next().unwrap_or_default();
            assert_eq!(name, typed.0, "a sample without its TYPE: {line:?}");
            assert!(name.starts_with("redferry_") && is_name(name), "{line:?}");
            check_labels(&series[name.len()..]);
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number in {line:?}"));
            assert!(value.is_finite() && value >= 0.0, "{line:?}");
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
        }
    }
    samples
}

/// `{name="value",...}`, or nothing.
fn check_labels(text: &str) {
    if text.is_empty() {
        return;
    }
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let mut rest = inside.unwrap_or_else(|| panic!("labels are not in braces: {text:?}"));
    loop {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label in {text:?}"));
        assert!(is_name(name) && !name.contains(':'), "{text:?}");
        let end = end_of_value(value).unwrap_or_else(|| panic!("a value without end in {text:?}"));
        rest = &value[end + 1..];
        if rest.is_empty() {
            return;
        }
        rest = rest.strip_prefix(',').unwrap_or_else(|| panic!("no comma in {text:?}"));
    }
}

/// Where the quote is that ends a value; `\\`, `\"` and `\n` are the only escapes.
fn end_of_value(value: &str) -> Option<usize> {
    let mut bytes = value.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => assert!(matches!(bytes.next(), Some((_, b'\\' | b'"' | b'n'))), "{value:?}"),
            _ => {}
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .enumerate()
        .all(|(at, byte)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()))
        && !name.is_empty()
}
