//! What LVM writes on its PVs, as ours reads it: compared with what LVM's own `pvck` says of the same bytes.

use anyhow::{Context, Result, ensure};
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::init::Init;
use lvmwarden_integration::lab::story::tell;
use lvmwarden_protocol::disk::{AreaHeader, HEADER_BYTES, Label, SCANNED_BYTES};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A small ring, so that texts go round it several times within a few changes.
const SMALL_RING: &str = "pvcreate -q --metadatasize 24k --dataalignment 64k /dev/vda";

#[test]
fn labels_headers_and_texts_are_read_as_lvm_reads_them() -> Result<()> {
    let disks = [Disk::create(64)?, Disk::create(64)?, Disk::create(64)?];
    tell(&Guest::boot(&disks, &Init::Bare)?, |guest| {
        for command in [SMALL_RING, "pvcreate -q --pvmetadatacopies 2 /dev/vdb", "pvcreate -q /dev/vdc"] {
            guest.sh(command)?;
        }
        let orphan = Pv::read(&disks[2])?;
        ensure!(orphan.texts.iter().all(Option::is_none), "an orphan has metadata: {:?}", orphan.texts);
        // A text of some 6 KB, which goes round a small ring soon.
        let long = "x".repeat(100);
        let tags: Vec<String> = (0..40).map(|tag| format!("--addtag {long}{tag}")).collect();
        guest.sh(&format!(
            "vgcreate -q vg /dev/vda /dev/vdb && lvcreate -q -n lv -l 4 -Zn -Wn {} vg",
            tags.join(" ")
        ))?;
        let mut wrapped = 0;
        for change in 0..16 {
            guest.sh(&format!("lvchange -q --addtag tag_{change} vg/lv"))?;
            for (disk, device) in disks.iter().zip(["/dev/vda", "/dev/vdb"]) {
                let pv = Pv::read(disk)?;
                compare(guest, device, &pv).with_context(|| format!("{device} after change {change}"))?;
                wrapped += pv.wrapped;
            }
        }
        ensure!(wrapped > 0, "no text went over the end of its ring, so that was not tried");
        guest.sh("pvchange -q --metadataignore y --yes /dev/vdb")?;
        ensure!(Pv::read(&disks[1])?.ignored == 2, "ignored areas are not seen");
        Ok(())
    })
}

/// What ours reads of a disk's image.
struct Pv {
    label: Label,
    /// Of each metadata area.
    texts: Vec<Option<String>>,
    /// How many of them lie in two pieces.
    wrapped: usize,
    ignored: usize,
}

impl Pv {
    fn read(disk: &Disk) -> Result<Self> {
        let image = File::open(disk.image())?;
        let label = Label::parse(&bytes(&image, 0, SCANNED_BYTES)?)?;
        let (mut texts, mut wrapped, mut ignored) = (Vec::new(), 0, 0);
        for &area in &label.metadata_areas {
            let header = AreaHeader::parse(&bytes(&image, area.offset, HEADER_BYTES)?, area)?;
            let pieces = header.text_pieces();
            wrapped += usize::from(pieces.len() == 2);
            ignored += usize::from(header.is_ignored);
            let mut text = Vec::new();
            for piece in pieces {
                text.extend(bytes(&image, piece.offset, usize::try_from(piece.size)?)?);
            }
            let text = header.text.map(|location| location.verify(&text).map(<[u8]>::to_vec)).transpose()?;
            texts.push(text.map(String::from_utf8).transpose()?);
        }
        Ok(Self { label, texts, wrapped, ignored })
    }
}

fn bytes(image: &File, offset: u64, size: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    image.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn compare(guest: &Guest, device: &str, pv: &Pv) -> Result<()> {
    let headers = guest.sh(&format!("pvck --dump headers {device}"))?;
    let field = |name: &str| {
        let line = headers.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(str::trim).with_context(|| format!("pvck says no {name}:\n{headers}"))
    };
    let uuid = pv.label.pv_uuid.as_str().replace('-', "");
    ensure!(field("pv_header.pv_uuid")? == uuid, "{uuid} instead of:\n{headers}");
    let size = pv.label.device_size_bytes.to_string();
    ensure!(field("pv_header.device_size")? == size, "{size} instead of:\n{headers}");
    let dump = guest.sh(&format!("pvck --dump metadata {device}"))?;
    let theirs = dump.split("  ---").nth(1).with_context(|| format!("no text in:\n{dump}"))?;
    for text in pv.texts.iter().map(Option::as_deref) {
        let ours = text.context("an area has no text")?;
        ensure!(ours.trim() == theirs.trim(), "ours:\n{ours}\npvck:\n{theirs}");
    }
    Ok(())
}
