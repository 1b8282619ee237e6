//! The groups of whoever is at the other end of a Unix socket.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use lvmwarden_supervisor::sys::peer_groups;

#[test]
fn of_a_pair_of_sockets_the_peer_has_our_own_groups() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let mut groups = peer_groups(ours.as_fd()).unwrap();
    let mut own: Vec<u32> =
        rustix::process::getgroups().unwrap().into_iter().map(rustix::fs::Gid::as_raw).collect();
    groups.sort_unstable();
    own.sort_unstable();
    assert_eq!(groups, own);
}

#[test]
fn what_is_no_socket_has_no_peer() {
    let file = File::open("/dev/null").unwrap();
    assert_eq!(peer_groups(file.as_fd()).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
}
