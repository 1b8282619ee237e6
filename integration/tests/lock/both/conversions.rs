//! C-28, C-29: locks that change their mode.

use std::time::Duration;

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::lock_tests;

lock_tests![
    c_28_a_shared_lock_becomes_exclusive_when_nobody_shares_it,
    c_29_an_exclusive_lock_becomes_shared_with_a_new_version,
];

fn c_28_a_shared_lock_becomes_exclusive_when_nobody_shares_it(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(a.result(ask::lock_gl("sh")), 0);
    assert_eq!(b.result(ask::lock_gl("sh")), 0);
    a.send(ask::lock_gl("ex"));
    let refused = a.raw().receive_within(Duration::from_millis(900)).expect("an answer at once");
    assert!(refused.contains("op_result = -11\n"), "{refused}");
    assert_eq!(b.result(ask::lock_gl("un")), 0);
    assert_eq!(a.result(ask::lock_gl("ex")), 0);
    assert_eq!(a.info_of("lk", "mode", "ex").len(), 1);
}

fn c_29_an_exclusive_lock_becomes_shared_with_a_new_version(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut a = site.client();
    assert_eq!(a.result(ask::lock_gl("ex")), 0);
    let version = |line: &str| line.parse::<u32>().unwrap();
    let before = version(a.info_of("r", "name", "GLLK")[0].value("version"));
    assert_eq!(a.result(ask::lock_gl("sh")), 0);
    let lines = a.info_of("r", "name", "GLLK");
    assert_eq!((lines[0].value("mode"), lines[0].value("sh_count")), ("sh", "1"));
    assert_eq!(version(lines[0].value("version")), before + 1);
}
