//! Against real servers: every kind of difference of every type, and what is none.

mod access;
mod expiry;
mod newer;
mod pieces;
mod setbacks;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::address::Address;
use client::secret::Secret;
use client::tls::TlsOptions;
use client::{Endpoint, Side};
use testkit::{Access, dataset};

use super::sides::Abilities;
use super::{Comparer, Sides};
use crate::brake::Brake;
use crate::meter::Meter;
use crate::options::{Level, Options};
use crate::verdict::{Pair, Verdict};

/// Two caches and how they are compared.
struct Bench {
    source: Access,
    target: Access,
    options: Options,
    meter: Arc<Meter>,
}

impl Bench {
    fn of(source: &Access, target: &Access) -> Bench {
        let options = Options {
            level: Level::Full,
            sample: None,
            ttl_tolerance: Duration::from_millis(20),
            until_stable: Duration::ZERO,
            big_key: 1 << 20,
            scan_count: 100,
            give_up_after: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            examples: 10,
            state: None,
            save_every: Duration::from_secs(1),
        };
        Bench { source: source.clone(), target: target.clone(), options, meter: Arc::default() }
    }

    fn with(&self, change: impl FnOnce(&mut Options)) -> Bench {
        let mut options = self.options.clone();
        change(&mut options);
        Bench { options, meter: Arc::default(), ..Bench::of(&self.source, &self.target) }
    }

    async fn sides(&self) -> Sides {
        let (source, target) = (endpoint(Side::Source, &self.source), endpoint(Side::Target, &self.target));
        let (source_layout, target_layout) =
            (source.topology().await.unwrap(), target.topology().await.unwrap());
        let abilities =
            Abilities::probe((&source, &source_layout), (&target, &target_layout), self.options.silence);
        let abilities = abilities.await.unwrap();
        Sides { source, target, source_layout, target_layout, abilities, clock_zero: Instant::now() }
    }

    fn comparer_of(&self, sides: Sides) -> Comparer {
        Comparer::new(Arc::new(sides), self.options.closeness(), Arc::clone(&self.meter) as Arc<dyn Brake>)
    }

    async fn comparer(&self) -> Comparer {
        self.comparer_of(self.sides().await)
    }

    async fn verdicts(&self, keys: &[&str]) -> Vec<Verdict> {
        self.comparer().await.compare(&pairs(keys)).await.unwrap()
    }

    /// In words, by key.
    async fn judged(&self, keys: &[&str]) -> BTreeMap<String, String> {
        let verdicts = self.verdicts(keys).await;
        keys.iter().map(|key| key.to_string()).zip(verdicts.iter().map(words)).collect()
    }
}

/// Lanes compare in tasks of their own.
#[tokio::test]
async fn a_comparison_can_move_between_threads() {
    let server = (testkit::Server::plain6().start(), testkit::Server::plain7().start());
    let mut comparer = Bench::of(&server.0.access(), &server.1.access()).comparer().await;
    let task = tokio::spawn(async move { comparer.compare(&pairs(&["a"])).await.unwrap() });
    assert_eq!(task.await.unwrap(), [Verdict::Gone]);
}

pub(crate) fn endpoint(side: Side, access: &Access) -> Endpoint {
    let mut address = Address::parse(&access.url()).unwrap();
    address.user = access.user.clone();
    let address = address.with_password(access.password.clone().map(Secret::new));
    Endpoint::new(side, &address, &TlsOptions { ca: access.ca.clone(), ..TlsOptions::default() }).unwrap()
}

fn pairs(keys: &[&str]) -> Vec<Pair> {
    let pair =
        |key: &&str| Pair { db: 0, key: key.as_bytes().into(), target_db: 0, renamed: None, leftover: false };
    keys.iter().map(pair).collect()
}

/// `equal`, `gone`, `vague`, the reason why it was not compared, or the kinds of difference.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Gone => "gone".into(),
        Verdict::Equal => "equal".into(),
        Verdict::Vague(_) => "vague".into(),
        Verdict::NotCompared(reason) => (*reason).into(),
        Verdict::Differs(kinds, _) => kinds.iter().fold(String::new(), |mut text, kind| {
            let separator = if text.is_empty() { "" } else { " " };
            write!(text, "{separator}{}", kind.name()).unwrap();
            text
        }),
    }
}

/// Runs commands on one key, separated by `"; "`, with its name written as `{key}`.
async fn run(access: &Access, key: &str, text: &str) {
    dataset::run(access, on(key, text)).await;
}

fn on(key: &str, text: &str) -> Vec<(Vec<u8>, redis::Cmd)> {
    let text = text.replace("{key}", key);
    let commands = text.split("; ").filter(|command| !command.is_empty());
    let typed = commands.map(|command| {
        let mut words = command.split(' ');
        let mut typed = redis::cmd(words.next().unwrap());
        typed.arg(words.collect::<Vec<_>>());
        (key.as_bytes().to_vec(), typed)
    });
    typed.collect()
}

/// Key, how it is made on the source and on the target, and what is to be said at levels full and quick.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Whatever the sizes of pieces, at both levels, twice.
async fn expect(source: &Access, target: &Access, rows: &[Row]) {
    dataset::run(source, rows.iter().flat_map(|row| on(row.0, row.1))).await;
    dataset::run(target, rows.iter().flat_map(|row| on(row.0, row.2))).await;
    let keys: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let bench = Bench::of(source, target);
    for (level, big_key) in [(Level::Full, 1 << 20), (Level::Full, 1), (Level::Full, 300), (Level::Quick, 1)]
    {
        let bench = bench.with(|options| (options.level, options.big_key) = (level, big_key));
        let mut comparer = bench.comparer().await;
        let first = comparer.compare(&pairs(&keys)).await.unwrap();
        for (row, verdict) in rows.iter().zip(&first) {
            let expected = if level == Level::Full { row.3 } else { row.4 };
            assert_eq!(words(verdict), expected, "{} at {level:?}, pieces of {big_key}", row.0);
        }
        // What was learnt does not change what is said, and nothing is taken for a change.
        let again = comparer.compare(&pairs(&keys)).await.unwrap();
        for ((row, first), again) in rows.iter().zip(&first).zip(&again) {
            assert_eq!(words(first), words(again), "{}", row.0);
            if let (Verdict::Differs(_, first), Verdict::Differs(_, again)) = (first, again) {
                assert!(first.is_like(again, 20), "{} seems to have changed: {first:?} {again:?}", row.0);
            }
        }
    }
}
