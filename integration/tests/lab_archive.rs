//! The archive janitor on real LVM: 110,000 copies make each change of a VG take seconds, and after a pass it takes what it
//! took before.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::story::story;
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
const COPIES: usize = 110_000;
/// Over so many days, all of which lvm keeps by default.
const DAYS: usize = 29;
const KEPT: usize = 500;
const ARCHIVE: &str = "/etc/lvm/archive";
const CONFIGURATION: &str = "/run/lvmwarden.toml";
/// How often each command is measured.
const ROUNDS: usize = 3;

/// Archives the metadata: the VG changes.
const CHANGE: &str =
    "if [ $((round % 2)) = 0 ]; then lvchange --addtag x vg/data; else lvchange --deltag x vg/data; fi";

#[test]
fn a_hundred_thousand_copies_slow_every_change_down_until_the_janitor_has_been_there() -> Result<()> {
    story(|guest| {
        guest.make_vg()?;
        guest.sh("lvcreate -y -n data -L 8m vg")?;
        // The guest's root has not as many inodes as that.
        guest.sh(&format!("mount -t tmpfs -o nr_inodes=0,mode=700 archive {ARCHIVE}"))?;
        let usual = median(guest, CHANGE)?;
        fill_the_archive(guest)?;
        let slow = median(guest, CHANGE)?;
        let only_looking = median(guest, "lvs vg")?;

        let newest = newest_copies(guest, 10)?;
        start_service(guest)?;
        let before = count(guest)?;
        guest.sh("lvmwarden archive plan")?;
        assert_eq!(count(guest)?, before, "a plan removes nothing");
        guest.sh("lvmwarden archive clean; lvmwarden archive status; kill $(pidof lvmwardend)")?;

        assert_eq!(count(guest)?, KEPT + 1, "the copies and a stranger");
        guest.sh(&format!("cd {ARCHIVE} && ls {newest} notes.vg"))?;
        let cleaned = median(guest, CHANGE)?;
        let figures = format!(
            "a change: {usual:.2} s; with {COPIES} copies {slow:.2} s, and a look {only_looking:.2} s; cleaned {cleaned:.2} s"
        );
        guest.note(&figures);
        ensure!(slow > 3.0 * usual, "it was not slow to begin with: {figures}");
        ensure!(slow > 3.0 * cleaned, "it is still slow: {figures}");
        let listed = guest.sh("vgcfgrestore --list vg | grep -c File:")?;
        ensure!(listed.parse::<usize>()? >= KEPT, "vgcfgrestore lists {listed} copies");
        guest.clean_up()
    })
}

/// Returns how long a command takes in the guest, in seconds: the median.
fn median(guest: &Guest, command: &str) -> Result<f64> {
    let rounds = guest.sh(&format!(
        "bash -c 'for round in {{1..{ROUNDS}}}; do begin=$EPOCHREALTIME; {{ {command}; }} > /dev/null 2>&1 || exit 1; \
         echo \"$begin $EPOCHREALTIME\"; done'"
    ))?;
    let took = |line: &str| {
        let (begin, end) = line.split_once(' ').with_context(|| format!("bash printed {line:?}"))?;
        Ok(end.parse::<f64>()? - begin.parse::<f64>()?)
    };
    let mut seconds: Vec<f64> = rounds.lines().map(took).collect::<Result<_>>()?;
    seconds.sort_by(f64::total_cmp);
    seconds.get(ROUNDS / 2).copied().context("bash printed too few lines")
}

/// Makes copies of the last weeks, all of one content: it is their number that costs, and the guest's memory is small.
fn fill_the_archive(guest: &Guest) -> Result<()> {
    guest.sh(&format!(
        r#"cd {ARCHIVE} && perl -e '
            my $newest = (sort glob "vg_*.vg")[-1];
            my ($index) = $newest =~ /_(\d+)-/;
            my $now = time;
            for my $age (reverse 1 .. {DAYS}) {{
                my $base = "base$age";
                open(my $from, "<", $newest); open(my $to, ">", $base);
                print {{$to}} <$from>; close $to;
                utime($now - $age * 86400, $now - $age * 86400, $base);
                for (1 .. {COPIES} / {DAYS} + 1) {{
                    $index++;
                    link($base, sprintf("vg_%05u-%u.vg", $index, int(rand(2 ** 31)))) or die $!;
                }}
                unlink $base;
            }}'
            echo mine > notes.vg"#
    ))?;
    ensure!(count(guest)? > COPIES, "too few copies");
    Ok(())
}

fn count(guest: &Guest) -> Result<usize> {
    Ok(guest.sh(&format!("ls -U {ARCHIVE} | wc -l"))?.parse()?)
}

/// Returns the names of the newest copies, those with the highest indexes, on one line.
fn newest_copies(guest: &Guest, count: usize) -> Result<String> {
    guest.sh(&format!("cd {ARCHIVE} && ls -U | grep ^vg_ | sort -t_ -k2 -n | tail -n {count} | tr '\\n' ' '"))
}

/// Starts the service with the janitor turned on, and waits until it answers.
fn start_service(guest: &Guest) -> Result<()> {
    let configuration = format!(
        "[api]\ngroup = \"root\"\n[archive_janitor]\nenabled = true\nfiles_per_vg = {KEPT}\nbytes_per_vg = 4294967295\n"
    );
    guest.sh(&format!("cat > {CONFIGURATION} << 'EOF'\n{configuration}EOF"))?;
    guest.sh(&format!(
        "setsid lvmwardend --config {CONFIGURATION} >> /run/lvmwardend.log 2>&1 < /dev/null &"
    ))?;
    guest.wait_until("the service answers", LIMIT, || guest.sh("lvmwarden info")).map(drop)
}
