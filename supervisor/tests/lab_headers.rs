//! What `sys` believes about C structures and constants is what Debian's headers say.
//!
//! The C compiler that links Rust programs prints the value of each expression. The headers are those of libsanlock-dev,
//! libdlm-dev, libdlmcontrol-dev, libcpg-dev and libquorum-dev, unpacked under `$LVMWARDEN_SANLOCK_ROOT` (`cargo verify` does and sets that).
#![expect(clippy::disallowed_methods, reason = "a compiler is run, and there is no runtime here")]
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

use lvmwarden_supervisor::sys::headers::{HEADERS, Header};
use tempfile::TempDir;

#[test]
fn structures_and_constants_are_as_the_headers_say() {
    let directory = TempDir::new().unwrap();
    for header in HEADERS {
        let said = values_in_c(&header, directory.path());
        let believed: Vec<_> = header.facts.iter().map(|(fact, value)| format!("{fact} {value}")).collect();
        assert_eq!(said, believed, "in {:?}", header.includes);
    }
}

/// Returns each fact with the value that a C program prints for it.
fn values_in_c(header: &Header, directory: &Path) -> Vec<String> {
    let mut program = String::from("#include <stddef.h>\n#include <stdio.h>\n");
    for include in header.includes {
        writeln!(program, "#include <{include}>").unwrap();
    }
    program.push_str("int main(void) {\n");
    for (fact, _) in header.facts {
        writeln!(program, "  printf(\"%s %llu\\n\", \"{fact}\", (unsigned long long)({fact}));").unwrap();
    }
    program.push_str("}\n");
    let (source, binary) = (directory.join("facts.c"), directory.join("facts"));
    fs::write(&source, program).unwrap();
    let mut compiler = Command::new("cc");
    let root =
        env::var_os("LVMWARDEN_SANLOCK_ROOT").expect("LVMWARDEN_SANLOCK_ROOT says where the headers are");
    compiler.arg("-I").arg(Path::new(&root).join("usr/include"));
    run(compiler.arg("-o").arg(&binary).arg(&source));
    let printed = run(&mut Command::new(&binary)).stdout;
    String::from_utf8(printed).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
