//! State files that cannot be written or read.

use super::{ends, keys, pair};
use crate::support::Redferry;

#[test]
fn a_folder_that_is_not_there() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--state", "no-such-folder/run.json"]);
    ends(ended, 5, &["no-such-folder/run.json", "cannot be written", "--state"]);
}

#[test]
fn a_folder_in_the_place_of_the_file() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    ends(redferry.copy(&["--state", "."]), 5, &["cannot be read", "--state"]);
    assert_eq!(keys(&target), 0);
}

#[test]
fn a_broken_file() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    let state = redferry.folder().join("run.json");
    for text in [
        &b"{\"format\":1,"[..],
        b"",
        b"\xff\x00",
        b"[]",
        b"{\"format\":99,\"arguments\":{},\"elapsed_ms\":0,\"scans\":[]}",
    ] {
        std::fs::write(&state, text).unwrap();
        let ended = redferry.copy(&["--state", "run.json"]);
        ends(ended, 5, &["run.json is not a state file", "delete it to begin anew"]);
        assert_eq!(std::fs::read(&state).unwrap(), text, "a file that may be somebody's is left alone");
    }
    assert_eq!(keys(&target), 0);
}

#[test]
fn a_complete_run_leaves_no_file() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    ends(redferry.copy(&[]), 0, &[]);
    assert_eq!(std::fs::read_dir(redferry.folder()).unwrap().count(), 0);
}
