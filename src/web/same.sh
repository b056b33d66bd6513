#!/bin/sh
# The document is what its program prints: same.sh PROGRAM DOCUMENT
"$1" | diff - "$2" || { echo "write it anew: $1 > $2"; exit 1; }
