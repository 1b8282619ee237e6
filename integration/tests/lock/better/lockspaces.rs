//! Lockspaces whose state is what the last reply said.

use lvmwarden_integration::daemon::Flavour::Ours;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;

#[test]
fn c_12_a_vg_can_be_locked_as_soon_as_its_start_is_answered() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for number in 0..20 {
        let vg = format!("vg{number}");
        assert_eq!(client.result(ask::start_vg(&vg, "wait")), 0);
        assert_eq!(client.result(ask::lock_vg(&vg, "ex")), 0, "{vg}");
        assert_eq!(client.result(ask::lock_gl("sh")), if number == 0 { 0 } else { -114 });
    }
}

#[test]
fn c_59_a_vg_is_gone_as_soon_as_that_is_answered() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for keyword in ["rename_vg_before", "stop_vg", "free_vg", "drop_vg"] {
        assert_eq!(client.result(ask::start_vg("vg", "wait")), 0, "{keyword}");
        assert_eq!(client.result(ask::lock_vg("vg", "ex")), 0, "{keyword}");
        assert_eq!(client.result(ask::of_vg(keyword, "vg", "vg_lock_type =\"dlm\"\n")), 0, "{keyword}");
        assert_eq!(client.result(ask::lock_vg("vg", "un")), -210, "{keyword}");
        assert_eq!(client.info_of("ls", "ls_name", "lvm_vg").len(), 0, "{keyword}");
    }
}

#[test]
fn c_18_a_vg_starts_again_as_soon_as_its_stop_is_answered() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for _ in 0..20 {
        assert_eq!(client.result(ask::start_vg("vg", "none")), 0);
        assert_eq!(client.result(ask::of_daemon("start_wait")), 0);
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
        assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "opts =\"force\"\n")), 0);
    }
}

#[test]
fn c_48_the_type_that_was_chosen_at_the_start_stays() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for _ in 0..3 {
        assert_eq!(client.result(ask::of_daemon("running_lm")), 2);
        assert_eq!(client.result(ask::lock_gl("ex")), 0);
        assert_eq!(client.result(ask::lock_gl("un")), 0);
        assert_eq!(client.result("request=\"stop_all\"\npid =1\nopts =\"wait force \"\n"), 0);
    }
}
