#!/bin/sh
# From an empty folder to a verdict: ten-lines.sh FOLDER REGISTER.csv, with MUNIMENT_PASSPHRASE set. Column 1 is the key.
set -eu; mkdir -p "$1"; export MUNIMENT_WORKSPACE="$1/office"
seq -f 'Office %04g' 1000 > "$1/recipients.csv"
muniment init "$1/office" --quiet
muniment register add people "$2" --key "$(head -n 1 "$2" | cut -d, -f1)" --accept equivalent --quiet
muniment release people --to-file "$1/recipients.csv" --out-dir "$1/copies" --purpose "yearly check" --quiet
head -n 1 "$1/copies/copy-0417.csv" | cut -d, -f2- > "$1/leak.csv"
sed 1d "$1/copies/copy-0417.csv" | shuf -n 150 | cut -d, -f2- >> "$1/leak.csv"
muniment trace "$1/leak.csv" --json
