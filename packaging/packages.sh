#!/bin/bash
# Makes sure that the Debian packages of the named groups are installed.
#   packaging/packages.sh build [check] [soak] [bench]
# Lists what is missing before it installs anything; does nothing, quickly,
# when nothing is missing. Uses sudo when not root.
set -eu
list="$(dirname "$0")/packages"

wanted=()
for group in "$@"; do
	while read -r in_group package command; do
		[ "$in_group" = "$group" ] || continue
		if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
		wanted+=("$package")
	done <"$list"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "This machine has no apt-get: the packages below are named as in Debian 12."
	echo "Please see that the like of them is installed: ${wanted[*]}"
	exit 0
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
	grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "These Debian packages are missing and will be installed now:"
printf '  %s\n' "${missing[@]}"
as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "You are not root and there is no sudo. Please run this as root, then try again:"
		echo "  apt-get install --no-install-recommends ${missing[*]}"
		exit 1
	fi
	as_root=(sudo "${as_root[@]}")
fi
echo "Reading the package lists (apt-get update) ..."
"${as_root[@]}" apt-get update -q
echo "Installing (apt-get install) ..."
if ! "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null; then
	echo "apt-get could not install them; its own message is above."
	echo "Once that is mended, the same command goes on from here."
	exit 1
fi
