//! Compiles what calls libsrtp2, which Debian and its like have as libsrtp2-dev.

fn main() {
    println!("cargo::rerun-if-changed=src/srtp/libsrtp2.c");
    println!("cargo::rerun-if-changed=../tests/interop/libsrtp2/session.h");
    cc::Build::new()
        .file("src/srtp/libsrtp2.c")
        .include("../tests/interop/libsrtp2")
        .opt_level(2)
        .compile("bench-libsrtp2");
    println!("cargo::rustc-link-lib=srtp2");
}
