//! Three hosts, one of which loses its network: the other two go on, and the third still says what it waits for.

use anyhow::{Result, ensure};
use lvmwarden_integration::lab::cluster::{Cluster, at_once};
use lvmwarden_integration::lab::lock_host::{Lockd, Manager};
use lvmwarden_integration::lab::story::tell_together;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(40);

#[test]
fn the_majority_goes_on_and_the_minority_can_be_asked_why_it_waits() -> Result<()> {
    let cluster = Cluster::boot(Manager::Dlm, 3)?;
    let [a, b, c] = &cluster.hosts[..] else { unreachable!("three were booted") };
    tell_together(&cluster.hosts, || {
        at_once(&cluster.hosts, |host| host.start_lockd(Lockd::Ours, Manager::Dlm))?;
        a.sh("vgcreate --shared vg /dev/vda /dev/vdb")?;
        at_once(&cluster.hosts[1..], |host| host.sh("vgchange --lock-start vg"))?;
        a.sh("lvcreate -an -Zn -L 8M -n lv vg")?;
        at_once(&cluster.hosts, |host| host.sh("lvchange -asy vg/lv && lvchange -an vg/lv"))?;
        c.sh("lvchange -aey vg/lv")?;
        for host in [a, b] {
            ensure!(
                host.run("lvchange -aey vg/lv")?.stderr.contains("LV locked by other host"),
                "it was not refused"
            );
        }

        cluster.cut_off(3);

        // Without a fence, which would have ended the third host by now.
        a.wait_until("the lock is free", LIMIT, || a.sh("lvchange -aey vg/lv"))?;
        ensure!(b.run("lvchange -aey vg/lv")?.code == 5, "active on two hosts");
        let waiting = c.spawn("timeout 20 lvs vg")?;
        c.wait_until("the waiter is shown", LIMIT, || {
            let info = c.lock_info()?;
            ensure!(
                info.lines().any(|line| line.starts_with("LW VG sh") && line.ends_with("(lvs)")),
                "{info}"
            );
            Ok(())
        })?;
        ensure!(waiting.finish()?.code == 124, "a host without quorum was given a lock");
        Ok(())
    })
}
