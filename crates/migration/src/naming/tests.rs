use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn db(source: u32, target: u32, prefix: &str) -> DbRule {
    DbRule { source, target, prefix: prefix.into() }
}

fn rename(from: &str, to: &str) -> Rename {
    Rename { from: from.into(), to: to.into() }
}

fn target_of(naming: &Naming, source_db: u32, key: &[u8]) -> Option<(u32, Vec<u8>)> {
    let mut scratch = b"left over".to_vec();
    Some((naming.target_db(source_db)?, naming.target_name(source_db, key, &mut scratch).to_vec()))
}

#[test]
fn identity_hands_the_key_back() {
    let naming = Naming::identity([0, 3]).unwrap();
    let mut scratch = Vec::new();
    let key = b"user:1".as_slice();
    assert!(std::ptr::eq(naming.target_name(3, key, &mut scratch), key));
    assert_eq!(scratch.capacity(), 0, "nothing is allocated");
    assert!(naming.is_identity(0) && naming.is_identity(3) && !naming.is_identity(1));
    assert_eq!((naming.target_db(3), naming.target_db(1)), (Some(3), None));
    assert!(!naming.may_collide(0, 3) && !naming.may_collide(0, 0) && !naming.may_collide(0, 1));
    assert_eq!(naming.source_dbs().collect::<Vec<_>>(), [0, 3]);
}

#[test]
fn the_first_rename_applies_and_then_the_prefix() {
    let naming = Naming::new(
        vec![db(0, 0, ""), db(3, 0, "billing:")],
        vec![rename("old:keep:", "old:keep:"), rename("old:", "new:")],
    )
    .unwrap();
    let name =
        |source, key: &str| String::from_utf8(target_of(&naming, source, key.as_bytes()).unwrap().1).unwrap();
    assert_eq!(name(0, "old:1"), "new:1");
    assert_eq!(name(0, "old:keep:1"), "old:keep:1");
    assert_eq!(name(0, "new:1"), "new:1");
    assert_eq!(name(3, "old:1"), "billing:new:1");
    assert_eq!(name(3, "x"), "billing:x");
    assert!(!naming.is_identity(0));
    assert!(naming.may_collide(0, 0), "old:1 and new:1 of one database");
    assert!(naming.may_collide(0, 3), "billing:x of database 0 and x of database 3");
    assert_eq!(naming.origins(b"new:1", 0), [(0, b"new:1".to_vec()), (0, b"old:1".to_vec())]);
    assert_eq!(naming.origins(b"old:1", 0), [], "no key keeps this name");
    assert_eq!(naming.origins(b"billing:x", 0), [(0, b"billing:x".to_vec()), (3, b"x".to_vec())]);
    assert_eq!(naming.origins(b"x", 1), []);
    assert_eq!(
        naming.describe(),
        [
            "database 0 -> 0",
            "database 3 -> 0, \"billing:\" put before every key",
            "keys beginning with \"old:keep:\" begin with \"old:keep:\" instead",
            "keys beginning with \"old:\" begin with \"new:\" instead",
        ]
    );
}

#[test]
fn prefixes_that_exclude_each_other_do_not_collide() {
    let naming =
        Naming::new(vec![db(0, 0, "db0:"), db(1, 0, "db1:"), db(2, 0, "db"), db(3, 3, "db0:")], vec![])
            .unwrap();
    assert!(!naming.may_collide(0, 1));
    assert!(naming.may_collide(0, 2) && naming.may_collide(2, 1));
    assert!(!naming.may_collide(0, 3), "other target database");
    // Cutting a prefix off is safe as long as nothing else can have the rest.
    let shifted =
        Naming::new(vec![db(0, 0, "")], vec![rename("a", "b"), rename("b", "c"), rename("c", "a")]).unwrap();
    assert!(!shifted.may_collide(0, 0));
}

#[test]
fn contradictions_are_refused() {
    use NamingError::*;
    let one = || vec![db(0, 0, "")];
    assert_eq!(Naming::new(vec![], vec![]), Err(NoDatabase));
    assert_eq!(Naming::identity([1, 1]), Err(DatabaseTwice(1)));
    assert_eq!(Naming::new(one(), vec![rename("", "")]), Err(EmptyRename));
    for hidden in ["a", "ab"] {
        let error = Naming::new(one(), vec![rename("a", "x"), rename(hidden, "y")]).unwrap_err();
        assert!(matches!(&error, HiddenRename { earlier, .. } if earlier == "a"), "{error}");
    }
    Naming::new(one(), vec![rename("ab", "x"), rename("a", "y"), rename("", "z")]).unwrap();
}

#[test]
fn rules_as_the_command_line_writes_them() {
    assert_eq!(parse_db_list("0,3"), Ok(vec![0, 3]));
    assert_eq!(parse_db_map("3=0"), Ok((3, 0)));
    assert_eq!(parse_db_prefix("3=billing=:"), Ok((3, b"billing=:".to_vec())));
    assert_eq!(parse_db_prefix("3="), Ok((3, vec![])));
    assert_eq!(prefix_by_db("db{db}:{db}", 12), Ok(b"db12:12".to_vec()));
    assert_eq!(parse_rename("old:=new:"), Ok(rename("old:", "new:")));
    assert_eq!(parse_rename("a=b=c"), Ok(rename("a", "b=c")));
    assert_eq!(parse_rename(r"a\=b=c\=\\\d"), Ok(rename("a=b", r"c=\\d")));
    assert_eq!(parse_rename("=x"), Ok(rename("", "x")));
    assert_eq!(parse_rename("x="), Ok(rename("x", "")));
    assert_eq!(parse_rename("="), Err(NamingError::EmptyRename));
    for wrong in [
        parse_db_list("").map(drop),
        parse_db_list("0,,1").map(drop),
        parse_db_list("0,x").map(drop),
        parse_db_list("+3").map(drop),
        parse_db_map("3").map(drop),
        parse_db_map("3=-1").map(drop),
        parse_db_map("4294967296=0").map(drop),
        parse_db_prefix("billing:").map(drop),
        parse_rename(r"a\=b").map(drop),
        prefix_by_db("db:", 1).map(drop),
    ] {
        let message = wrong.unwrap_err().to_string();
        assert!(message.contains("such as"), "{message}");
    }
}

fn word(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b')], 0..=longest)
}

fn rules() -> impl Strategy<Value = Naming> {
    let databases = prop::collection::vec((0u32..2, word(2)), 1..4);
    let renames = prop::collection::vec((word(2), word(2)), 0..4);
    (databases, renames).prop_filter_map("contradicting rules", |(databases, renames)| {
        let numbered = databases.into_iter().zip(0..);
        let databases =
            numbered.map(|((target, prefix), source)| DbRule { source, target, prefix }).collect();
        let renames = renames.into_iter().map(|(from, to)| Rename { from, to }).collect();
        Naming::new(databases, renames).ok()
    })
}

/// Every key over two letters up to a length. Rules are at most two letters long, so four letters show
/// every collision there is.
fn all_keys(longest: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..=longest).flat_map(|length| {
        (0..1u32 << length).map(move |bits| (0..length).map(|i| b'a' + (bits >> i & 1) as u8).collect())
    })
}

proptest! {
    #[test]
    fn origins_is_the_exact_inverse(naming in rules()) {
        let mut expected: HashMap<_, Vec<_>> = HashMap::new();
        // Names of up to five letters come from keys of at most seven.
        for source in naming.source_dbs() {
            for key in all_keys(7) {
                expected.entry(target_of(&naming, source, &key).unwrap()).or_default().push((source, key));
            }
        }
        for target in 0..2 {
            for name in all_keys(5) {
                let mut found = naming.origins(&name, target);
                let mut wanted = expected.remove(&(target, name)).unwrap_or_default();
                found.sort();
                wanted.sort();
                prop_assert_eq!(found, wanted);
            }
        }
    }

    #[test]
    fn may_collide_is_exact(naming in rules()) {
        for a in naming.source_dbs() {
            for b in naming.source_dbs() {
                let mut taken: HashMap<_, Vec<u8>> = HashMap::new();
                taken.extend(all_keys(6).map(|key| (target_of(&naming, a, &key), key)));
                let collides = all_keys(6).any(|key| {
                    let there = taken.get(&target_of(&naming, b, &key));
                    there.is_some_and(|other| a != b || *other != key)
                });
                // Of two keys of one database the map keeps the later one, the other then finds it.
                prop_assert_eq!(naming.may_collide(a, b), collides, "databases {} and {}", a, b);
                if let Some(name) = naming.collision(a, b) {
                    let at = naming.origins(&name, naming.target_db(a).unwrap());
                    prop_assert!(at.len() >= 2, "only {:?} at {:?}", at, name);
                }
            }
        }
    }

    #[test]
    fn any_name_that_is_one_is_found_again(naming in rules(), key in prop::collection::vec(any::<u8>(), 0..12)) {
        for source in naming.source_dbs() {
            let (target, name) = target_of(&naming, source, &key).unwrap();
            prop_assert!(naming.origins(&name, target).contains(&(source, key.clone())));
        }
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "[ -~]{0,12}") {
        let _ = (parse_db_list(&text), parse_db_map(&text), parse_db_prefix(&text), prefix_by_db(&text, 1));
        if let Ok(rename) = parse_rename(&text) {
            let escape = |part: &[u8]| String::from_utf8_lossy(part).replace('\\', r"\\").replace('=', r"\=");
            prop_assert_eq!(parse_rename(&format!("{}={}", escape(&rename.from), escape(&rename.to))), Ok(rename));
        }
    }
}

#[test]
fn the_way_back_is_known_where_names_stay_and_databases_do_not_meet() {
    let there = Naming::new(vec![db(0, 0, ""), db(3, 1, "")], Vec::new()).unwrap();
    let back = there.reversed().unwrap();
    assert_eq!((back.target_db(0), back.target_db(1), back.target_db(3)), (Some(0), Some(3), None));
    assert_eq!(back.reversed(), Some(there));
    assert_eq!(Naming::new(vec![db(0, 0, ""), db(3, 0, "")], Vec::new()).unwrap().reversed(), None);
    assert_eq!(Naming::new(vec![db(3, 0, "billing:")], Vec::new()).unwrap().reversed(), None);
    assert_eq!(Naming::new(vec![db(0, 0, "")], vec![rename("old:", "new:")]).unwrap().reversed(), None);
}
