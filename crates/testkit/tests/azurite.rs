//! The storage account of tests: it is a real one, and it goes away.

use std::net::TcpStream;

use testkit::Azurite;

#[test]
fn blobs_come_back_and_the_server_goes_away() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container("dumps");
    azurite.put_blob("dumps", "block", b"bytes");
    assert_eq!(azurite.put_page_blob("dumps", "pages", &[7; 700]), 1024);
    assert_eq!(azurite.get_blob("dumps", "block").unwrap(), b"bytes");
    let pages = azurite.get_blob("dumps", "pages").unwrap();
    assert_eq!((pages.len(), &pages[690..710]), (1024, &[[7; 10], [0; 10]].concat()[..]));
    assert_eq!(azurite.list_blobs("dumps"), ["block", "pages"]);
    azurite.delete_blob("dumps", "block");
    assert_eq!(azurite.get_blob("dumps", "block"), None);

    let port = azurite.port();
    drop(azurite);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "Azurite still listens");
}
