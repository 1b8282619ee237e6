//! What the kernel calls a block device: two numbers.

use std::fmt;
use std::str::FromStr;

use rustix::fs::{Dev, major, makedev, minor};

/// A block device, as `/sys/dev/block` and `/run/lvm/pvs_online` name it: `8:16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber {
    /// The driver.
    pub major: u32,
    /// Which of its devices.
    pub minor: u32,
}

/// Why a text is no device's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse a device's number: it is not MAJOR:MINOR")]
pub struct NoDeviceNumber;

impl DeviceNumber {
    /// Returns the number as one, as `st_rdev` and lvm's `pvmeta/device` have it.
    pub fn as_dev(self) -> Dev {
        makedev(self.major, self.minor)
    }

    /// Returns the number that `dev` is.
    pub fn of_dev(dev: Dev) -> Self {
        Self { major: major(dev), minor: minor(dev) }
    }

    /// Returns the number as lvmetad's clients send it.
    pub fn as_sent(self) -> i64 {
        self.as_dev().cast_signed()
    }
}

impl FromStr for DeviceNumber {
    type Err = NoDeviceNumber;

    /// Takes digits only: neither signs nor blanks.
    fn from_str(text: &str) -> Result<Self, NoDeviceNumber> {
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse().ok()).flatten().ok_or(NoDeviceNumber)
        };
        let (major, minor) = text.split_once(':').ok_or(NoDeviceNumber)?;
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_device_number_is_refused() {
        for text in
            ["", ":", "8", "8:", ":1", "+8:1", "8:-1", " 8:1", "8:1 ", "8:1:2", "8:99999999999", "a:b"]
        {
            assert_eq!(text.parse::<DeviceNumber>(), Err(NoDeviceNumber), "{text:?}");
        }
        let number: DeviceNumber = "253:17".parse().unwrap();
        assert_eq!(number, DeviceNumber { major: 253, minor: 17 });
        assert_eq!(number.to_string(), "253:17");
        assert_eq!(DeviceNumber::of_dev(number.as_dev()), number);
    }
}
