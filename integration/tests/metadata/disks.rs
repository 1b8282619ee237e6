//! The service fills its cache from disks, which are images here: whole, changed, away, back, and in a second life.

use std::fs;
use std::path::PathBuf;

use lvmwarden_integration::metad::refused;
use lvmwarden_integration::service::Service;
use lvmwarden_integration::{client::Client, site::Site, wait};
use lvmwarden_protocol::disk::image::{PvImage, uuid, vg_text};

/// A host with disks that are images.
struct Host {
    site: Site,
}

impl Host {
    fn new() -> Self {
        let host = Self { site: Site::new() };
        for folder in ["images", "run/pvs_online", "backup"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.site.disks_dir().join(name)
    }

    /// Writes a disk, as LVM does.
    fn write(&self, disk: usize, image: &PvImage) {
        fs::write(self.path(&format!("images/8:{disk}")), image.bytes()).unwrap();
    }

    /// The disk is there, as LVM's udev rule notes it.
    fn plug(&self, disk: usize) {
        let name = uuid(disk).as_str().replace('-', "");
        fs::write(self.path("run/pvs_online").join(name), format!("8:{disk}\n")).unwrap();
    }

    fn unplug(&self, disk: usize) {
        let name = uuid(disk).as_str().replace('-', "");
        fs::remove_file(self.path("run/pvs_online").join(name)).unwrap();
    }

    /// LVM has changed a VG, and writes its backup.
    fn back_up(&self, vg: &str) {
        fs::write(self.path(".temporary"), "text").unwrap();
        fs::rename(self.path(".temporary"), self.path("backup").join(vg)).unwrap();
    }

    fn start(&self) -> (Service, Asker) {
        self.start_with(None)
    }

    /// Starts it with a fault in it.
    fn start_with(&self, fault: Option<&str>) -> (Service, Asker) {
        let socket = self.site.path("lvmetad.socket");
        let launch = self
            .site
            .service()
            .set("service.roles", r#"["metadata"]"#)
            .set("metadata.fill", "\"disks\"")
            .set("metadata.socket", &format!("{:?}", socket.to_str().unwrap()));
        let launch = match fault {
            Some(fault) => launch.environment("LVMWARDEN_FAULT", fault),
            None => launch,
        };
        let service = launch.start();
        (service, Asker(Client::connect(&socket)))
    }
}

struct Asker(Client);

impl Asker {
    fn ask(&mut self, request: &str) -> String {
        self.0.ask(format!("request={request} token=skip"))
    }

    /// Waits until the VG has this seqno, and so many of its PVs are missing.
    #[track_caller]
    fn await_vg(&mut self, name: &str, seqno: u32, missing: usize) {
        wait::until(&format!("{name} with seqno {seqno}, {missing} PVs missing"), wait::SOON, || {
            let shown = self.ask(&format!("vg_lookup name={name}"));
            let is_so =
                shown.contains(&format!("\tseqno={seqno}\n")) && shown.matches("MISSING").count() == missing;
            is_so.then_some(())
        });
    }

    #[track_caller]
    fn await_no_vg(&mut self, name: &str) {
        wait::until(&format!("no {name}"), wait::SOON, || {
            self.ask(&format!("vg_lookup name={name}"))
                .starts_with(&refused("unknown", "VG not found"))
                .then_some(())
        });
    }
}

#[test]
fn the_cache_follows_the_disks_and_is_filled_again_after_a_kill() {
    let host = Host::new();
    let mut images = [1, 2].map(|disk| PvImage::new(&uuid(disk), 1));
    let commit = |images: &mut [PvImage; 2], text: &str| {
        for (disk, image) in [1, 2].into_iter().zip(images) {
            image.commit(text);
            host.write(disk, image);
        }
    };
    commit(&mut images, &vg_text("vg0", 100, 1, &[1, 2], 1));
    host.plug(1);
    let (service, mut client) = host.start();
    client.await_vg("vg0", 1, 1);
    host.plug(2);
    client.await_vg("vg0", 1, 0);
    // With no event but the backup that LVM writes.
    commit(&mut images, &vg_text("vg0", 100, 2, &[1, 2], 3));
    host.back_up("vg0");
    client.await_vg("vg0", 2, 0);
    // Renamed; LVM writes a backup of the new name, which nobody knows, and removes that of the old one.
    commit(&mut images, &vg_text("vg1", 100, 3, &[1, 2], 3));
    host.back_up("vg1");
    fs::remove_file(host.path("backup/vg0")).unwrap();
    client.await_vg("vg1", 3, 0);
    client.await_no_vg("vg0");
    host.unplug(2);
    client.await_vg("vg1", 3, 1);
    // kill -9.
    drop(service);
    let (_service, mut client) = host.start();
    client.await_vg("vg1", 3, 1);
    host.plug(2);
    client.await_vg("vg1", 3, 0);
    images.iter_mut().for_each(PvImage::release);
    for (disk, image) in [1, 2].into_iter().zip(&images) {
        host.write(disk, image);
    }
    fs::remove_file(host.path("backup/vg1")).unwrap();
    client.await_no_vg("vg1");
    assert_eq!(client.ask("pv_list").matches("\tid=").count(), 2, "its PVs are there, and in no VG");
}

#[test]
fn a_panic_over_one_pv_and_a_disk_that_hangs_cost_no_other_anything() {
    let host = Host::new();
    for disk in 1..=8 {
        let mut image = PvImage::new(&uuid(disk), 1);
        image.commit(&vg_text(&format!("vg{disk}"), 100 + disk, 1, &[disk], 1));
        host.write(disk, &image);
        host.plug(disk);
    }
    let (_service, mut client) =
        host.start_with(Some("panic@metadata.reading=8:1:1;stall@metadata.reading=8:3:1"));
    for disk in [2, 4, 5, 6, 7, 8] {
        client.await_vg(&format!("vg{disk}"), 1, 0);
    }
    wait::until("the panic", wait::SOON, || {
        fs::read_to_string(host.site.log()).unwrap().contains("the reader has panicked").then_some(())
    });
    client.await_no_vg("vg1");
    // Whatever happens next has it read again; the disk that hangs is not read a second time.
    host.back_up("vg1");
    client.await_vg("vg1", 1, 0);
    client.await_no_vg("vg3");
}
