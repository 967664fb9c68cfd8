# Sourced by the scripts beside it: builds for another system than this one.
#
# The standard library of the target comes from rustup where it has it (`rustup target add x86_64-pc-windows-gnu`); else
# Debian's `rustc-web` compiles its own source, `rust-web-src`. That package puts a second rustc into /usr/bin: it is named
# by RUSTC for these steps alone, and a toolchain of rustup stays in front of it in the search path.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
built=${CARGO_TARGET_DIR:-$root/target}
export CARGO_TARGET_DIR=$built
# One profile for tests and program, without what only a debugger reads.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0

# Installs Debian packages that are missing; what cannot be had ends the step.
need() {
    local missing=() package
    for package in "$@"; do
        dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi
    local sudo=
    if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

has_std() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]; }

# What a build for this target needs.
need_std() {
    if ! has_std "$1"; then need rustc-web rust-web-src; fi
}

# cross TARGET COMMAND ..: cargo for that target.
cross() {
    local target=$1 command=$2
    shift 2
    if has_std "$target"; then
        cargo "$command" --locked --target "$target" "$@"
    else
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 cargo "$command" --locked -Zbuild-std=std,panic_abort --target "$target" "$@"
    fi
}

fail() {
    echo "$*" >&2
    exit 1
}

# The last event of an import, one value of it: where "files.recorded".
value() { python3 -c 'import json,sys
event = json.loads(sys.stdin.read().splitlines()[-1])
for part in sys.argv[1].split("."): event = event[int(part) if isinstance(event, list) else part]
print(event)' "$1"; }
# Expects that a program says something.
expect() {
    local what=$1 wanted=$2 found=$3
    if [ "$found" != "$wanted" ]; then fail "$what: expected \`$wanted\`, found \`$found\`"; fi
    echo "  $what: $found"
}
has() {
    local what=$1 wanted=$2 text=$3
    case $text in *"$wanted"*) echo "  $what" ;; *) fail "$what: expected \`$wanted\` in: $text" ;; esac
}
has_not() {
    local what=$1 unwanted=$2 text=$3
    case $text in *"$unwanted"*) fail "$what: found \`$unwanted\` in: $text" ;; *) echo "  $what" ;; esac
}

# suite TARGET LEAST PACKAGE .. -- ARGUMENT ..: runs the tests of the packages and counts them; at least LEAST in a thousand
# must pass. Arguments behind `--` go to the tests: `--skip NAME`, each with its reason where it is written.
suite() {
    local target=$1 least=$2 packages=() log
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do packages+=(--package "$1") && shift; done
    log=$built/suite-$target.log
    # No test fails the others: what matters is counted below.
    # Examples in the documentation say nothing of a system, and would need a rustdoc of the same version.
    cross "$target" test --tests "${packages[@]}" --no-fail-fast "$@" 2>&1 | tee "$log" | grep -E '^(test .*FAILED|test result|     Running|error)' || true
    grep -q '^test result' "$log" || fail "no test of $target has run; see $log"
    awk -v least="$least" '/^test result/ { passed += $4; failed += $6; left += $8; filtered += $12 }
        END { of = passed + failed; share = of ? 1000 * passed / of : 0
              printf "%d of %d tests pass, %d are left out\n", passed, of, left + filtered
              exit share < least }' "$log"
}
