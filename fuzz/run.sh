# Fuzzes the targets of one folder, for the scripts that name them; to be sourced.
#
# fuzz FOLDER "LIMITS" "ALL" [SECONDS] [TARGET...]: ten minutes for each of ALL targets unless told, within libFuzzer's
# LIMITS. What breaks one is left in the folder's `artifacts`.
#
# Without a sanitizer, so that a stable toolchain will do: there is no unsafe code of ours to look into.
set -euo pipefail
fuzz() {
    local folder=$1 limits=$2 all=$3 seconds=${4:-600} target
    shift 3
    [ $# -eq 0 ] || shift
    # shellcheck disable=SC2086 # lists of words
    [ $# -gt 0 ] || set -- $all
    cd "$folder"
    if ! command -v cargo-fuzz >/dev/null; then cargo install cargo-fuzz --locked; fi
    for target in "$@"; do
        echo "== $target"
        mkdir -p "corpus/$target"
        # shellcheck disable=SC2086 # lists of words
        cargo fuzz run --fuzz-dir . --sanitizer none "$target" "corpus/$target" "seeds/$target" -- \
            -max_total_time="$seconds" $limits -verbosity=0 -print_final_stats=1
    done
}
