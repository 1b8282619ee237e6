//! C-63, C-64: what lvmlockctl is told. The bytes that it reads come to a socket of our own here.

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::lock_tests;

lock_tests![c_63_lockspaces_locks_and_waiting_requests_are_listed, c_64_the_log_is_shown];

fn c_63_lockspaces_locks_and_waiting_requests_are_listed(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg0");
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg0", "ex")), 0);
    assert_eq!(a.result(ask::lock_lv("vg0", "lv", "ex", "persistent")), 0);
    b.send(ask::lock_vg("vg0", "sh"));
    b.hears_nothing_for(std::time::Duration::from_millis(300));
    let text = a.dump("info");
    assert!(text.starts_with("info=structs unused_action_count="), "{text}");
    let (vg, lv) = (ask::uuid("vg0"), ask::uuid("lv"));
    let clients: Vec<&str> = text.lines().filter(|line| line.contains(" name=vgs")).collect();
    let id_of =
        |line: &str| line.split(" id=").nth(1).and_then(|rest| rest.split(' ').next().map(str::to_owned));
    let [holder, waiter] = &clients[..] else { panic!("two clients in {text}") };
    let (holder, waiter) = (id_of(holder).unwrap(), id_of(waiter).unwrap());
    for line in [
        format!(
            "info=ls ls_name=lvm_vg0 vg_name=vg0 vg_uuid={vg} vg_sysid=. vg_args=1.0.0:test lm_type=dlm host_id=0 create_fail=0 create_done=1 thread_work=0 thread_stop=0 thread_done=0 kill_vg=0 drop_vg=0 sanlock_gl_enabled=0"
        ),
        "info=r name=VGLK type=vg mode=ex sh_count=0 version=0".to_owned(),
        format!("info=lk mode=ex version=0 flags=0x0 client_id={holder}"),
        format!(
            "info=r_action client_id={waiter} flags=0x0 version=0 op=lock rt=vg mode=sh lm_type=dlm result=0 lm_rv=0"
        ),
        format!("info=r name={lv} type=lv mode=ex sh_count=0 version=0"),
        "info=lk mode=ex version=0 flags=0x1 client_id=0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
}

fn c_64_the_log_is_shown(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    client.ask(ask::lock_vg("vg", "sh"));
    let text = client.dump("dump");
    assert!(!text.is_empty() && text.len() <= 1 << 20);
    for line in text.lines() {
        let (seconds, _) = line.split_once(' ').unwrap_or_else(|| panic!("{line:?} begins with a time"));
        assert!(seconds.parse::<u64>().is_ok(), "{line}");
    }
}
