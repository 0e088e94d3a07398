//! The imports between our packages are those of the table in ARCHITECTURE.md, and the protocol crates keep its first rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The table's rows: package, and what it may import.
fn allowed(root: &Path) -> Arrows {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let full = |name: &str| if name == "pavane" { name.to_owned() } else { format!("pavane-{name}") };
    text.lines()
        .filter_map(|line| line.strip_prefix("| pavane"))
        .map(|rest| {
            let mut cells = format!("pavane{rest}");
            cells.truncate(cells.trim_end().trim_end_matches('|').len());
            let (package, imports) = cells.split_once('|').expect("a row has two cells");
            let imports = imports.split(',').map(str::trim).filter(|name| !name.is_empty()).map(full);
            (package.trim().to_owned(), imports.collect())
        })
        .collect()
}

#[test]
fn packages_import_what_the_table_allows() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let allowed = allowed(metadata.workspace_root.as_std_path());
    for package in metadata.workspace_packages() {
        if package.name.as_str() == "pavane-tests" {
            continue;
        }
        let may = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} is not in the table", package.name));
        let imports =
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        for import in imports.map(|dependency| &dependency.name).filter(|name| name.starts_with("pavane")) {
            assert!(may.contains(import), "{} may not import {import}", package.name);
        }
    }
}

#[test]
fn protocol_crates_have_no_world_and_no_unsafe_code() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let with_std = ["crypto-rustls", "crypto-openssl", "drive", "tokio", "smol", "mio", "whip", "tests"]
        .map(|name| format!("pavane-{name}"));
    for package in metadata.workspace_packages() {
        if with_std.iter().any(|name| package.name.as_str() == name) {
            continue;
        }
        let source = package.manifest_path.with_file_name("src").join("lib.rs");
        let text = std::fs::read_to_string(&source).unwrap();
        for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
            assert!(text.lines().any(|line| line == attribute), "{source} lacks {attribute}");
        }
    }
}

#[test]
fn openssl_takes_the_place_of_every_other_cryptographic_library() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for adapter in ["pavane-tokio", "pavane-smol", "pavane-mio"] {
        let tree = |features: &[&str]| {
            let mut command = std::process::Command::new(&cargo);
            command.args([
                "tree",
                "--offline",
                "--prefix",
                "none",
                "--edges",
                "normal,build,dev",
                "-p",
                adapter,
            ]);
            let output = command.args(features).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let has = |tree: &str, name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
        let openssl = tree(&["--no-default-features", "--features", "openssl"]);
        assert!(has(&openssl, "openssl-sys"));
        for other in ["aws-lc-rs", "aws-lc-sys", "ring"] {
            assert!(!has(&openssl, other), "{adapter} with OpenSSL imports {other}");
        }
        assert!(has(&tree(&[]), "aws-lc-rs"), "{adapter} stands on aws-lc-rs by default");
    }
}
