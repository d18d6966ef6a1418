//! Expiries are compared by what is left of them, wherever the clocks of both sides stand.

use testkit::{Binaries, Server, dataset};

use super::Pair;
use super::commands::{expire_later, run};
use super::findings::each;

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_do_not_matter() {
    if Binaries::get().clock_shifter().is_none() {
        println!("SKIPPED: no libfaketime on this machine, so no server with another clock");
        return;
    }
    for ahead in [7200, -7200] {
        let source = Server::plain7().start();
        let target = Server::plain7().clock_ahead_seconds(ahead).start();
        let (from, to) = (source.access(), target.access());
        for n in 0..200 {
            run(&from, &format!("string:{n}"), &format!("SET {{key}} x PX {}", 600_000 + n * 7919)).await;
        }
        dataset::hash_field_ttls(&from).await;
        let pair = Pair::of(&from, &to);
        pair.copy(&[]);
        pair.expect_equal(&[]);
        pair.expect_equal(&["--big-key", "1"]);
        pair.expect_equal(&["--level", "quick"]);
        dataset::run(&to, [expire_later("string:7", 60)]).await;
        dataset::run(&to, [expire_later("string:8", -3000)]).await;
        run(&to, "fieldttl:some", "HPERSIST {key} FIELDS 1 f3").await;
        let differing = [("string:7", "ttl"), ("string:8", "ttl"), ("fieldttl:some", "ttl")];
        pair.expect_differences(&[], &each(&differing));
        pair.expect_differences(&["--level", "quick"], &each(&differing[..2]));
    }
}
