//! Which keys are compared: those that a copy with the same options carries, under the names that it gives them.

use std::collections::{HashMap, HashSet};

use engine::temporary;
use migration::naming::Naming;
use migration::selection::Selection;
use verify::Scope;

/// The choice of keys and names, as typed.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) selection: Selection,
    pub(crate) naming: Naming,
    /// Keys of the source that are left out, by database: the other version cannot hold them.
    unfit: HashMap<u32, HashSet<Vec<u8>>>,
}

impl Chosen {
    pub(crate) fn new(selection: Selection, naming: Naming) -> Chosen {
        Chosen { selection, naming, unfit: HashMap::new() }
    }

    /// The same without these keys of the source.
    pub(crate) fn without(mut self, keys: Vec<(u32, Vec<u8>)>) -> Chosen {
        for (db, key) in keys {
            self.unfit.entry(db).or_default().insert(key);
        }
        self
    }

    /// Whether a name is within the choice, temporary or not.
    fn names(&self, db: u32, key: &[u8]) -> bool {
        self.naming.target_db(db).is_some()
            && self.selection.accepts_name(key)
            && !self.unfit.get(&db).is_some_and(|keys| keys.contains(key))
    }

    fn origins_with_temporary(&self, target_db: u32, name: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut origins = self.naming.origins(name, target_db);
        origins.retain(|(db, key)| self.names(*db, key));
        origins
    }
}

impl Scope for Chosen {
    fn source_dbs(&self) -> Vec<u32> {
        self.naming.source_dbs().collect()
    }

    fn target_db(&self, db: u32) -> u32 {
        self.naming.target_db(db).unwrap_or(db)
    }

    fn name_on_target(&self, db: u32, key: &[u8]) -> Option<Vec<u8>> {
        let mut scratch = Vec::new();
        let name = self.naming.target_name(db, key, &mut scratch);
        (name != key).then(|| name.to_vec())
    }

    fn keeps_names(&self, db: u32) -> bool {
        self.naming.keeps_names(db)
    }

    fn origins(&self, target_db: u32, name: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut origins = self.origins_with_temporary(target_db, name);
        origins.retain(|(_, key)| !is_temporary(key));
        origins
    }

    /// What an interrupted copy left behind on the target: it builds big values under temporary names of the target,
    /// which go through no rule. Only where the choice would have such a name, since a comparison of `user:*`
    /// says nothing about others.
    fn is_leftover(&self, target_db: u32, name: &[u8]) -> bool {
        is_temporary(name) && !self.origins_with_temporary(target_db, name).is_empty()
    }

    fn wants_key(&self, db: u32, key: &[u8]) -> bool {
        self.names(db, key) && !is_temporary(key)
    }

    fn asks_type(&self) -> bool {
        self.selection.filters_by_type()
    }

    fn wants_type(&self, name: &str) -> bool {
        self.selection.accepts_type(name)
    }

    fn asks_ttl(&self) -> bool {
        self.selection.filters_by_ttl()
    }

    fn wants_ttl(&self, pttl_ms: i64) -> bool {
        self.selection.accepts_ttl(pttl_ms)
    }

    fn scan_match(&self) -> Option<&[u8]> {
        self.selection.scan_match()
    }

    fn scan_type(&self) -> Option<&str> {
        self.selection.scan_type()
    }
}

fn is_temporary(key: &[u8]) -> bool {
    key.starts_with(temporary::PREFIX)
}

#[cfg(test)]
mod tests {
    use migration::naming::{DbRule, Rename};
    use migration::selection::SelectionOptions;

    use super::*;

    fn chosen(rules: &[(u32, u32, &str)], renames: &[(&str, &str)], matches: &[&str]) -> Chosen {
        let rule =
            |&(source, target, prefix): &(u32, u32, &str)| DbRule { source, target, prefix: prefix.into() };
        let rename = |&(from, to): &(&str, &str)| Rename { from: from.into(), to: to.into() };
        let naming =
            Naming::new(rules.iter().map(rule).collect(), renames.iter().map(rename).collect()).unwrap();
        let matches = matches.iter().map(ToString::to_string).collect();
        let selection = Selection::new(&SelectionOptions { matches, ..SelectionOptions::default() }).unwrap();
        Chosen::new(selection, naming)
    }

    fn origins(chosen: &Chosen, db: u32, name: &str) -> Vec<(u32, String)> {
        let text = |(db, key)| (db, String::from_utf8(key).unwrap());
        chosen.origins(db, name.as_bytes()).into_iter().map(text).collect()
    }

    #[test]
    fn names_go_there_and_back() {
        let chosen = chosen(&[(0, 0, ""), (3, 0, "db3:")], &[("old:", "new:")], &[]);
        assert_eq!(chosen.source_dbs(), [0, 3]);
        assert_eq!((chosen.target_db(3), chosen.keeps_names(0), chosen.keeps_names(3)), (0, false, false));
        assert_eq!(chosen.name_on_target(3, b"old:7"), Some(b"db3:new:7".to_vec()));
        assert_eq!(chosen.name_on_target(0, b"user:7"), None);
        assert_eq!(
            origins(&chosen, 0, "db3:new:7"),
            [(0, "db3:new:7".into()), (3, "new:7".into()), (3, "old:7".into())]
        );
        assert_eq!(origins(&chosen, 5, "user:7"), []);
    }

    #[test]
    fn what_the_choice_leaves_out_by_name_is_no_origin() {
        let chosen = chosen(&[(3, 0, "billing:")], &[], &["user:*"]);
        assert!(chosen.wants_key(3, b"user:7") && !chosen.wants_key(0, b"user:7"));
        assert_eq!(origins(&chosen, 0, "billing:user:7"), [(3, "user:7".into())]);
        assert_eq!(origins(&chosen, 0, "billing:order:7"), []);
        assert_eq!(origins(&chosen, 0, "user:7"), []);
        assert_eq!(chosen.scan_match(), Some(&b"user:*"[..]));
    }

    #[test]
    fn what_does_not_fit_is_left_out_on_both_sides() {
        let chosen = chosen(&[(0, 0, "")], &[], &[]).without(vec![(0, b"unfit".to_vec())]);
        assert!(!chosen.wants_key(0, b"unfit") && chosen.wants_key(0, b"fit"));
        assert_eq!(
            (origins(&chosen, 0, "unfit"), origins(&chosen, 0, "fit")),
            (vec![], vec![(0, "fit".into())])
        );
    }

    #[test]
    fn temporary_keys_are_never_meant_on_the_source_and_left_over_on_the_target() {
        let name = temporary::name(b"user:1");
        let all = chosen(&[(0, 0, "")], &[], &[]);
        assert!(!all.wants_key(0, &name) && all.wants_key(0, b"user:1"));
        assert!(all.origins(0, &name).is_empty() && all.is_leftover(0, &name));
        assert!(!all.is_leftover(0, b"user:1") && !all.is_leftover(3, &name));
        assert!(!chosen(&[(0, 0, "")], &[], &["user:*"]).is_leftover(0, &name));
    }
}
