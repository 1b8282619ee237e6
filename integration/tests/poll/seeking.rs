//! An lvpoll that does not find its LV. Asked of our daemon alone: the C daemon reports 0.

use lvmwarden_integration::client::finished;
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;

const NOT_FOUND: &str = "  Can't find VG vg/thin. No longer active.";

fn merge(site: &Site) -> Operation {
    let merge = Operation { vg: "vg".to_owned(), ..site.pvmove("thin").kind("merge_thin") };
    Operation { lvid: "rsoh3B0Uc31PlAwItiuHnOYUuKtt1nEdStSuVJklTWs1rTjr3k7Kz18yQYN31MNm".to_owned(), ..merge }
}

#[test]
fn what_lvpoll_does_not_find_twice_has_failed() {
    let site = Site::new();
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    let merge = merge(&site);
    site.lvm.script(&merge.path(), &[&[Step::Say(NOT_FOUND.to_owned()), Step::Exit(0)]]);
    client.ask(merge.start());
    assert_eq!(client.await_end(&merge), finished("retcode", 5));
    assert_eq!((site.lvm.start_count(), site.lvm.lvs_starts().len()), (2, 2));
}

#[test]
fn a_vg_with_another_name_is_found_by_its_uuid() {
    let site = Site::new();
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    let merge = merge(&site);
    site.lvm.script(&merge.path(), &[&[Step::Say(NOT_FOUND.to_owned()), Step::Exit(0)]]);
    let done = "  Merge of snapshot into logical volume new/thin has finished.";
    site.lvm.script("new/thin", &[&[Step::Say(done.to_owned()), Step::Exit(0)]]);
    let uuids = r#""vg_uuid":"rsoh3B-0Uc3-1PlA-wIti-uHnO-YUuK-tt1nEd","lv_uuid":"StSuVJ-klTW-s1rT-jr3k-7Kz1-8yQY-N31MNm""#;
    let report = format!(r#"{{"report":[{{"lv":[{{"vg_name":"new","lv_name":"thin",{uuids}}}]}}]}}"#);
    site.lvm.script_lvs(&[&[Step::Say(report), Step::Exit(0)]]);
    client.ask(merge.start());
    assert_eq!(client.await_end(&merge), finished("retcode", 0));
    let polled: Vec<_> = site.lvm.starts().iter().filter_map(|start| start.lv().map(str::to_owned)).collect();
    assert_eq!(polled, ["vg/thin", "new/thin"]);
}
