#!/bin/bash
# First program of a lab guest with systemd: makes a host like any other of the overlay, and becomes systemd.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
hostname lab
modprobe -a dm-mod dm-mirror dm-snapshot dm-thin-pool

# What the host has for itself: its disks, its LVM settings, its name; in a container, that no service may start. What
# only costs time without a network and disks: apt's lists and hooks, the generators of units.
: > /etc/fstab
rm -rf /etc/lvm/devices /etc/lvm/lvmlocal.conf /etc/machine-id /usr/sbin/policy-rc.d
rm -rf /var/lib/apt/lists /etc/apt/apt.conf.d/* /lib/systemd/system-generators
printf 'global { use_lvmpolld=1 }\nactivation { monitoring=0 }\n' > /etc/lvm/lvm.conf

# dpkg knows only what our package needs, and of that not what it needs in turn: it reads the list of files of each
# package that it knows, which for all of a host takes half a minute over 9p.
sed --in-place --regexp-extended --quiet '/^Package: (libc6|libgcc-s1|lvm2|systemd)$/,/^$/ { /^(Pre-)?Depends:/ d; p }' \
    /var/lib/dpkg/status

# These take long over 9p (tmpfiles-setup walks the host's /tmp and /var: minutes) or have nothing to do in a guest.
cd /etc/systemd/system || exit
for unit in systemd-{tmpfiles-setup,tmpfiles-setup-dev,sysusers,hwdb-update,firstboot,journal-catalog-update}.service \
    systemd-{remount-fs,update-utmp,update-done,machine-id-commit,journal-flush,random-seed,timesyncd,pstore}.service \
    systemd-{binfmt,modules-load,network-generator,sysctl}.service modprobe@{configfs,dm_mod,fuse,loop}.service \
    {ldconfig,kmod-static-nodes,lvm2-monitor,blk-availability}.service proc-sys-fs-binfmt_misc.automount \
    {dev-hugepages,dev-mqueue,sys-kernel-debug,sys-kernel-tracing,sys-kernel-config,sys-fs-fuse-connections}.mount; do
    ln -sf /dev/null "$unit"
done

cat > lab.target <<'UNIT'
[Unit]
Description=A lab guest that takes commands
Requires=sysinit.target dbus.socket lab-agent.service
After=sysinit.target dbus.socket lab-agent.service
UNIT
cat > lab-agent.service <<'UNIT'
[Unit]
Description=Runs the commands of the lab's host
After=systemd-udev-trigger.service

[Service]
Environment=HOME=/root LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStartPre=/usr/bin/systemd-tmpfiles --create /usr/lib/tmpfiles.d/lvm2.conf
ExecStartPre=/usr/bin/udevadm settle
ExecStart=/usr/sbin/lvmwarden-lab agent
UNIT
exec /lib/systemd/systemd --unit=lab.target --log-level=warning --show-status=false
