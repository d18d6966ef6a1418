use proptest::prelude::*;

use super::*;

fn selection(options: SelectionOptions) -> Selection {
    Selection::new(&options).unwrap()
}

fn texts(given: &[&str]) -> Vec<String> {
    given.iter().map(|text| (*text).to_owned()).collect()
}

fn refusal(options: SelectionOptions) -> String {
    Selection::new(&options).unwrap_err().to_string()
}

#[test]
fn without_options_everything_is_in() {
    let all = selection(SelectionOptions::default());
    assert!(all.is_everything() && !all.filters_by_type() && !all.filters_by_ttl());
    assert!(all.accepts_name(b"") && all.accepts_name(b"\xff{") && all.accepts_type("anything"));
    assert!(all.accepts_ttl(-1) && all.accepts_ttl(0) && all.accepts_ttl(-2));
    assert_eq!((all.scan_match(), all.scan_type()), (None, None));
}

#[test]
fn names_must_pass_every_kind_of_filter() {
    let some = selection(SelectionOptions {
        matches: texts(&["user:*", "cart:*"]),
        excludes: texts(&["*:tmp"]),
        regexes: texts(&["[0-9]", "^cart:x"]),
        ..Default::default()
    });
    assert!(some.accepts_name(b"user:1") && some.accepts_name(b"cart:2") && some.accepts_name(b"cart:xyz"));
    assert!(!some.accepts_name(b"user:name"), "no regular expression matches");
    assert!(!some.accepts_name(b"user:1:tmp"), "excluded");
    assert!(!some.accepts_name(b"order:1"), "no glob matches");
    assert!(!some.is_everything());
    assert_eq!(some.scan_match(), None, "SCAN takes one pattern");
}

#[test]
fn each_filter_alone_is_not_everything() {
    let options = [
        SelectionOptions { matches: texts(&["*"]), ..Default::default() },
        SelectionOptions { excludes: texts(&["a"]), ..Default::default() },
        SelectionOptions { regexes: texts(&["a"]), ..Default::default() },
        SelectionOptions { types: texts(&["hash"]), ..Default::default() },
        SelectionOptions { min_ttl_ms: Some(1), ..Default::default() },
        SelectionOptions { no_ttl_only: true, ..Default::default() },
        SelectionOptions { slots: texts(&["0-16383"]), ..Default::default() },
    ];
    for options in options {
        assert!(!selection(options.clone()).is_everything(), "{options:?}");
    }
}

#[test]
fn regexes_see_bytes_and_are_not_anchored() {
    let some = selection(SelectionOptions { regexes: texts(&["^k.{2}e"]), ..Default::default() });
    assert!(some.accepts_name(b"k\xff\xfee!"), "a dot is any byte, also where the key is not UTF-8");
    let unicode = selection(SelectionOptions { regexes: texts(&["^(?u:\\p{L})$"]), ..Default::default() });
    assert!(unicode.accepts_name("é".as_bytes()) && !unicode.accepts_name(b"\xe9"));
}

#[test]
fn slots_are_those_of_the_cluster() {
    // CLUSTER KEYSLOT foo is 12182.
    let some = selection(SelectionOptions { slots: texts(&["12182", "0-5,7"]), ..Default::default() });
    assert!(some.accepts_name(b"foo") && some.accepts_name(b"a{foo}b") && some.accepts_name(b"{foo}{bar}"));
    assert!(!some.accepts_name(b"{}foo") && !some.accepts_name(b"bar"), "an empty tag is no tag");
    let none =
        selection(SelectionOptions { slots: texts(&["0-12181", "12183-16383"]), ..Default::default() });
    assert!(!none.accepts_name(b"foo") && none.accepts_name(b"bar"));
}

#[test]
fn ttl_filters() {
    let long = selection(SelectionOptions { min_ttl_ms: Some(5000), ..Default::default() });
    assert!(long.filters_by_ttl());
    assert!(long.accepts_ttl(-1), "a key that stays forever stays in");
    assert!(
        long.accepts_ttl(5000) && !long.accepts_ttl(4999) && !long.accepts_ttl(0) && !long.accepts_ttl(-2)
    );
    let forever = selection(SelectionOptions { no_ttl_only: true, ..Default::default() });
    assert!(forever.accepts_ttl(-1) && !forever.accepts_ttl(i64::MAX) && !forever.accepts_ttl(-2));
}

#[test]
fn types_are_those_that_type_answers() {
    let some = selection(SelectionOptions { types: texts(&["Hash"]), ..Default::default() });
    assert!(some.filters_by_type() && some.accepts_type("hash") && !some.accepts_type("zset"));
    assert_eq!(some.scan_type(), Some("hash"));
    let two = selection(SelectionOptions { types: texts(&["ReJSON-RL", "string"]), ..Default::default() });
    assert!(two.accepts_type("ReJSON-RL") && two.accepts_type("string") && !two.accepts_type("list"));
    assert_eq!(two.scan_type(), None);
}

#[test]
fn errors_name_the_option_and_what_is_wrong() {
    let cases = [
        (SelectionOptions { regexes: texts(&["a", "("]), ..Default::default() }, ["--regex", "\"(\""]),
        (
            SelectionOptions { regexes: texts(&["(a{999}){999}"]), ..Default::default() },
            ["--regex", "repetition"],
        ),
        (
            SelectionOptions { regexes: texts(&[&"(".repeat(5000)]), ..Default::default() },
            ["--regex", "regular"],
        ),
        (SelectionOptions { types: texts(&["strings"]), ..Default::default() }, ["--type", "\"strings\""]),
        (SelectionOptions { types: texts(&[""]), ..Default::default() }, ["--type", "no type"]),
        (SelectionOptions { slots: texts(&["16384"]), ..Default::default() }, ["--slots", "16383"]),
        (SelectionOptions { slots: texts(&["9-3"]), ..Default::default() }, ["--slots", "before it begins"]),
        (SelectionOptions { slots: texts(&["a"]), ..Default::default() }, ["--slots", "no slot"]),
        (SelectionOptions { slots: texts(&["1,"]), ..Default::default() }, ["--slots", "no slot"]),
        (SelectionOptions { excludes: vec!["*a".repeat(1001)], ..Default::default() }, ["--exclude", "1000"]),
    ];
    for (options, expected) in cases {
        let message = refusal(options);
        assert!(expected.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn options_survive_json_and_misspelt_ones_do_not_pass() {
    let options = SelectionOptions { matches: texts(&["a*"]), min_ttl_ms: Some(9), ..Default::default() };
    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<SelectionOptions>(&json).unwrap(), options);
    assert_eq!(serde_json::from_str::<SelectionOptions>("{}").unwrap(), SelectionOptions::default());
    assert!(serde_json::from_str::<SelectionOptions>("{\"match\": [\"a*\"]}").is_err());
}

#[test]
fn globs_match_what_the_servers_match() {
    let unhex = |text: &str| -> Vec<u8> {
        let digits = text.trim_matches('-');
        (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
    };
    let mut lines = include_str!("glob_answers.txt").lines().filter(|line| !line.starts_with('#'));
    let keys: Vec<Vec<u8>> = lines.next().unwrap().split(' ').skip(1).map(unhex).collect();
    let mut patterns = 0;
    for line in lines {
        let mut words = line.split(' ');
        let pattern = unhex(words.next().unwrap());
        let expected: Vec<usize> = words.map(|word| word.parse().unwrap()).collect();
        let glob = Glob::new(&pattern).unwrap();
        let found: Vec<usize> = (0..keys.len()).filter(|&i| glob.matches(&keys[i])).collect();
        assert_eq!(found, expected, "pattern {glob:?}");
        patterns += 1;
    }
    assert_eq!((keys.len(), patterns), (64, 900));
}

/// Backtracking into every star would need more steps than there are atoms.
#[test]
fn stars_do_not_explode() {
    let glob = Glob::new("a*".repeat(900).as_bytes()).unwrap();
    let key = [&[b'a'; 899][..], &[b'b'; 2000]].concat();
    assert!(!glob.matches(&key));
}

proptest! {
    #[test]
    fn any_pattern_meets_any_key_without_panic(
        pattern in prop::collection::vec(prop_oneof![Just(b'['), Just(b'*'), Just(b'\\'), Just(b'-'), any::<u8>()], 0..20),
        key in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let _ = Glob::new(&pattern).unwrap().matches(&key);
    }

    /// A key finds itself when every byte is escaped, with stars around any part cut away.
    #[test]
    fn escaped_names_match_themselves(key in prop::collection::vec(any::<u8>(), 1..20), cut in any::<prop::sample::Index>()) {
        let escape = |part: &[u8]| part.iter().flat_map(|&byte| [b'\\', byte]).collect::<Vec<u8>>();
        prop_assert!(Glob::new(&escape(&key)).unwrap().matches(&key));
        let cut = cut.index(key.len());
        let starred = [&escape(&key[..cut]), &b"*"[..], &escape(&key[cut + 1..])].concat();
        prop_assert!(Glob::new(&starred).unwrap().matches(&key));
    }
}
