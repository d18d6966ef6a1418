//! Interruptions, and going on after them.

use std::time::Duration;

use testkit::relay::Relay;
use testkit::{Server, dataset};

use super::{SEED, equal, saved, text};
use crate::support::Redferry;

/// Few keys a second, so that there is time to interrupt.
const SLOW: [&str; 2] = ["--max-keys-per-sec", "20000"];

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_cleanly_and_the_same_command_goes_on() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 60_000, 40).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start_rdb("import", &[&[text(&file)][..], &SLOW].concat());
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let ended = child.stop().expect(4).expect_said("run the same command again");
    assert_eq!(ended.report["status"], "interrupted");
    assert!(ended.number("keys_copied") > 0 && ended.number("keys_copied") < 60_000, "{ended:#?}");
    let ended = redferry.rdb("import", &[text(&file)]).expect(0);
    assert_eq!((ended.number("keys_copied"), &ended.report["resumed"]), (60_000, &true.into()));
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_several_moments_ends_equal() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 60_000, 40).await;
    dataset::mixed(&source.access(), 5_000, SEED).await;
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 1 << 20).await;
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let options = [text(&file), "--big-key", "256KiB"];
    let mut killed = 0;
    for n in 0..6_u64 {
        let mut child = redferry.start_rdb("import", &[&options[..], &SLOW].concat());
        std::thread::sleep(Duration::from_millis(500 + 170 * n));
        if child.has_ended() {
            break;
        }
        child.kill();
        killed += 1;
    }
    assert!(killed >= 2, "only {killed} of the runs lasted long enough to be killed");
    let last = redferry.rdb("import", &options).expect(0);
    assert_eq!(
        last.number("keys_copied"),
        last.number("keys_scanned"),
        "a resumed run counts every key once"
    );
    assert_eq!(last.number("keys_copied"), 65_006);
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_to_the_target_are_made_again() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::mixed(&source.access(), 20_000, SEED).await;
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 2 << 20).await;
    }
    let file = saved(&source).await;
    let access = target.access();
    let relay = Relay::to(&access.host, access.port);
    relay.cut_randomly(SEED, 3_000_000);
    let redferry = Redferry::between(&source.access(), &access.via(relay.port()));
    let ended =
        redferry.rdb("import", &[text(&file), "--big-key", "512KiB", "--give-up-after", "60s"]).expect(0);
    assert!(relay.accepted() > 3, "the relay cut nothing (seed {SEED})");
    assert_eq!(ended.number("keys_copied"), 20_006);
    equal(&source.access(), &access).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_interrupted_leaves_no_file() {
    let source = Server::acr().start();
    dataset::strings(&source.access(), 60_000, 40).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    let child = redferry.start_rdb("export", &[&["one.rdb"][..], &SLOW].concat());
    tokio::time::sleep(Duration::from_millis(900)).await;
    child.stop().expect(4).expect_said("begins anew");
    let left: Vec<_> = std::fs::read_dir(redferry.folder()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    redferry.rdb("export", &["one.rdb"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_to_the_source_put_no_key_into_the_file_twice() {
    let source = Server::acr().start();
    dataset::mixed(&source.access(), 30_000, SEED).await;
    let access = source.access();
    let relay = Relay::to(&access.host, access.port);
    relay.cut_randomly(SEED, 1_500_000);
    let redferry = Redferry::between(&access.via(relay.port()), &access);
    redferry.rdb("export", &["one.rdb", "--rdb-version", "9", "--give-up-after", "60s"]).expect(0);
    assert!(relay.accepted() > 3, "the relay cut nothing (seed {SEED})");
    let file = redferry.folder().join("one.rdb");
    let loaded = Server::plain6().arg("dir", text(redferry.folder())).arg("dbfilename", "one.rdb").start();
    assert!(file.exists());
    equal(&access, &loaded.access()).await;
}
