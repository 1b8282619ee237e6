//! The guests' kernel: Debian's ordinary one, downloaded and unpacked into the cache, not installed on the host.
//!
//! In order: ask apt which package `linux-image-amd64` stands for; download it; unpack it; index its modules; extract
//! the uncompressed `vmlinux`, which QEMU starts directly (2.2 s less per boot than the compressed image, measured
//! without KVM).

use super::cache::Cache;
use super::host::output_of;
use super::packages;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An unpacked kernel in the cache.
#[derive(Debug, Clone)]
pub struct Kernel {
    folder: PathBuf,
}

impl Kernel {
    /// Returns the newest kernel of the cache, or downloads the current one when there is none.
    ///
    /// # Errors
    /// Those of [`Kernel::current`].
    pub fn cached_or_current(cache: &Cache) -> Result<Self> {
        match cache.newest("linux-image-")? {
            Some(folder) => Ok(Self { folder }),
            None => Self::current(cache),
        }
    }

    /// Returns the kernel that apt would install today, downloading it unless the cache has it.
    ///
    /// # Errors
    /// apt knows no kernel, or the download or the unpacking fails.
    pub fn current(cache: &Cache) -> Result<Self> {
        let package = Package::lookup().or_else(|_| {
            packages::update_lists()?;
            Package::lookup()
        })?;
        let entry = format!("{}_{}", package.name, package.version);
        let folder = cache.entry(&entry, |folder| make(&package, folder))?;
        Ok(Self { folder })
    }

    /// Returns the uncompressed kernel image, an ELF file with a PVH entry.
    pub fn vmlinux(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }

    /// Returns the folder that is `/lib/modules` in the guest: one folder in it, named by the kernel's release.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("root/lib/modules")
    }

    /// Returns the files of `module` and of everything it needs, in the order in which they are to be loaded.
    ///
    /// # Errors
    /// The kernel has no such module.
    pub fn load_order(&self, module: &str) -> Result<Vec<PathBuf>> {
        let listing =
            output_of(Command::new("/sbin/modprobe").arg("--dirname").arg(self.folder.join("root")).args([
                "--set-version",
                &self.release()?,
                "--show-depends",
                module,
            ]))?;
        let file_of_line = |line: &str| line.strip_prefix("insmod ").map(|file| PathBuf::from(file.trim()));
        Ok(listing.lines().filter_map(file_of_line).collect())
    }

    /// Returns what names this kernel: package name and version.
    pub fn name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn release(&self) -> Result<String> {
        release_in(&self.folder)
    }
}

/// A kernel package as apt knows it, such as `linux-image-6.1.0-56-amd64`, version `6.1.192-2`.
struct Package {
    name: String,
    version: String,
}

impl Package {
    /// Asks apt what `linux-image-amd64` depends on.
    fn lookup() -> Result<Self> {
        let text =
            output_of(Command::new("apt-cache").args(["show", "--no-all-versions", "linux-image-amd64"]))?;
        let depends = text.lines().find_map(|line| line.strip_prefix("Depends: "));
        // The line reads "linux-image-6.1.0-56-amd64 (= 6.1.192-2)".
        let parts = depends.and_then(|line| line.strip_suffix(')')).and_then(|line| line.split_once(" (= "));
        let (name, version) = parts.context("linux-image-amd64 does not name one kernel package")?;
        Ok(Self { name: name.to_owned(), version: version.to_owned() })
    }
}

fn make(package: &Package, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    packages::download(&[&format!("{}={}", package.name, package.version)], folder)?;
    let deb = only_match(folder, &package.name)?;
    let root = folder.join("root");
    output_of(Command::new("dpkg").arg("-x").args([&deb, &root]))?;
    fs::remove_file(&deb)?;
    output_of(Command::new("/sbin/depmod").arg("--basedir").arg(&root).arg(release_in(folder)?))?;
    extract_vmlinux(&only_match(&root.join("boot"), "vmlinuz-")?, &folder.join("vmlinux"))
}

/// Writes the kernel inside `boot_image`, an xz stream somewhere behind the boot code, to `vmlinux`.
fn extract_vmlinux(boot_image: &Path, vmlinux: &Path) -> Result<()> {
    const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
    let image = fs::read(boot_image)?;
    let start = image.windows(XZ_MAGIC.len()).position(|window| window == XZ_MAGIC);
    let start = start.with_context(|| format!("{} holds no xz stream", boot_image.display()))?;
    let stream = vmlinux.with_extension("xz");
    fs::write(&stream, &image[start..])?;
    let mut xz = Command::new("xz");
    // --single-stream: what follows the stream is not for xz.
    xz.args(["--decompress", "--single-stream", "--stdout"]).arg(&stream);
    let status = xz.stdin(Stdio::null()).stdout(File::create(vmlinux)?).status().context("cannot run xz")?;
    if !status.success() {
        bail!("xz ended with {status} on the kernel in {}", boot_image.display());
    }
    fs::remove_file(&stream)?;
    Ok(())
}

fn release_in(folder: &Path) -> Result<String> {
    let modules = only_match(&folder.join("root/lib/modules"), "")?;
    Ok(modules.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn only_match(folder: &Path, prefix: &str) -> Result<PathBuf> {
    let mut matches = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    matches.next().with_context(|| format!("no {prefix}* in {}", folder.display()))
}
