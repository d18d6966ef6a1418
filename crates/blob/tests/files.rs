//! Local files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use blob::{Access, Error, Kind, Place, ReadOptions, Reader, WriteOptions, Writer};
use bytes::Bytes;
use testkit::dataset::random::Random;

fn place(path: &Path) -> Place {
    Place::parse(path.to_str().unwrap()).unwrap()
}

fn access() -> Access {
    Access::from_variables(|_| None)
}

async fn open(path: &Path) -> Result<Reader, Error> {
    Reader::open(&place(path), &access(), ReadOptions::default()).await
}

async fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut reader = open(path).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn create(path: &Path, gzip: bool, overwrite: bool) -> Result<Writer, Error> {
    let options = WriteOptions { gzip, overwrite, ..WriteOptions::default() };
    Writer::create(&place(path), &access(), options).await
}

async fn write(path: &Path, bytes: &[u8], gzip: bool, overwrite: bool) -> Result<(), Error> {
    let mut writer = create(path, gzip, overwrite).await?;
    for chunk in bytes.chunks(700_000) {
        writer.write(Bytes::copy_from_slice(chunk)).await?;
    }
    let summary = writer.finish().await?;
    assert_eq!(summary.written, bytes.len() as u64);
    assert_eq!(summary.stored, fs::metadata(path).unwrap().len());
    Ok(())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let large = Random::new(7).bytes(5_000_000);
    for (name, bytes) in [("empty", &b""[..]), ("one", b"R"), ("two", b"\x1f\x8a"), ("large", &large)] {
        for gzip in [false, true] {
            let path = folder.path().join(format!("{name}-{gzip}"));
            write(&path, bytes, gzip, false).await.unwrap();
            let reader = open(&path).await.unwrap();
            assert_eq!(reader.is_gzip(), gzip);
            assert_eq!(reader.size(), Some(fs::metadata(&path).unwrap().len()));
            assert!(read(&path).await.unwrap() == bytes, "{name} {gzip}");
        }
    }
    assert_eq!(names(folder.path()).len(), 8, "partial files stayed behind");
}

#[tokio::test]
async fn existing_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.rdb");
    write(&path, b"first", false, false).await.unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain), "not what the umask says");

    assert_eq!(write(&path, b"second", false, false).await.unwrap_err().kind(), Kind::AlreadyExists);
    // Until the end there is what was there before, and so it stays when the writer is dropped.
    let mut writer = create(&path, false, true).await.unwrap();
    writer.write(Bytes::from(vec![0; 3 << 20])).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(folder.path()).len(), 3);
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(folder.path()), ["dump.rdb", "plain"]);

    let link = folder.path().join("link");
    symlink("dump.rdb", &link).unwrap();
    write(&link, b"through a link", false, true).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"through a link");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    // Somebody else was faster.
    let race = folder.path().join("race");
    let writer = create(&race, false, false).await.unwrap();
    fs::write(&race, "fast").unwrap();
    assert_eq!(writer.finish().await.unwrap_err().kind(), Kind::AlreadyExists);
    assert_eq!(fs::read(&race).unwrap(), b"fast");
    assert_eq!(names(folder.path()), ["dump.rdb", "link", "plain", "race"]);
}

#[tokio::test]
async fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    assert_eq!(read(&missing).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(read(folder.path()).await.unwrap_err().kind(), Kind::Unsuitable);
    assert_eq!(create(&missing.join("x"), false, false).await.unwrap_err().kind(), Kind::NoContainer);
    for overwrite in [false, true] {
        assert_eq!(create(folder.path(), false, overwrite).await.unwrap_err().kind(), Kind::Unsuitable);
        assert_eq!(
            create(Path::new("/dev/null"), false, overwrite).await.unwrap_err().kind(),
            Kind::Unsuitable
        );
    }
    // A pipe has no size and is read all the same.
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writing = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(writing, b"through a pipe").unwrap());
    let mut reader = open(&pipe).await.unwrap();
    assert_eq!(reader.size(), None);
    assert_eq!(reader.next().await.unwrap().unwrap(), "through a pipe");
    assert_eq!(reader.next().await.unwrap(), None);
    writer.join().unwrap();
}

#[tokio::test]
async fn reads_ahead_by_little_and_sees_a_file_shrink() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse");
    let file = fs::File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut reader = open(&path).await.unwrap();
    reader.next().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(reader.fetched() <= 8 << 20, "{} bytes wait to be read", reader.fetched());
    file.set_len(10 << 20).unwrap();
    let error = loop {
        match reader.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the end of a file that became shorter"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Changed, "{error}");
    assert_eq!(reader.next().await.unwrap(), None);
}
