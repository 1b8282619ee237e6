//! The program `lvmwardend`.

fn main() -> std::process::ExitCode {
    lvmwarden::daemon::main()
}
