//! The program `lvmwarden`.

fn main() -> std::process::ExitCode {
    lvmwarden::cli::main()
}
