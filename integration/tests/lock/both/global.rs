//! C-45, C-48: which lockspace has the global lock.

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::lock_tests;

lock_tests![c_45_without_a_vg_there_is_no_global_lock_of_sanlock, c_48_dlm_has_no_global_lock_to_be_chosen,];

fn c_45_without_a_vg_there_is_no_global_lock_of_sanlock(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "sanlock"]).start();
    for mode in ["sh", "ex"] {
        let answer = site.client().ask(ask::lock_gl(mode));
        // The C daemon may have forgotten by now what it was told to use, and says NO_LM then.
        assert_eq!(answer.result(), -210, "{mode}");
        assert!(answer.flags().starts_with("NO_LOCKSPACES,NO_GL_LS"), "{mode}: {answer:?}");
        assert_eq!((answer.field("op"), answer.field("lock_type")), (Some("7"), Some("none")));
    }
}

fn c_48_dlm_has_no_global_lock_to_be_chosen(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::of_vg("enable_gl", "vg", "")), -22);
    assert_eq!(client.result(ask::of_vg("disable_gl", "vg", "")), -22);
}
