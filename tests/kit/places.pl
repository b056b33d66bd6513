#!/usr/bin/perl
# Makes MaxMind DB files for tests, with Debian's libmaxmind-db-writer-perl.
#
#   places.pl country|network FILE [4|6] < LINES     a line: NETWORK COUNTRY ASN [LATITUDE LONGITUDE], "-" for what is not known
#
# country: {"country": {"iso_code": ...}} as GeoLite2-Country has it; network: {"autonomous_system_number": ...}.
# Documentation and loopback addresses are networks like others here.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my ($kind, $file, $version) = @ARGV;
my %types = (country => 'map', iso_code => 'utf8_string', autonomous_system_number => 'uint32',
	location => 'map', latitude => 'double', longitude => 'double');
my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version               => $version // 6,
	record_size              => 24,
	database_type            => $kind eq 'country' ? 'Test-Country' : 'Test-ASN',
	languages                => ['en'],
	description              => { en => 'for tests' },
	map_key_type_callback    => sub { $types{ $_[0] } },
	remove_reserved_networks => 0,
);
while (<STDIN>) {
	my ($network, $country, $asn, $latitude, $longitude) = split;
	my %row;
	%row = (country => { iso_code => $country }) if $kind eq 'country' && $country ne '-';
	$row{location} = { latitude => $latitude, longitude => $longitude } if %row && defined $longitude;
	%row = (autonomous_system_number => $asn) if $kind eq 'network' && $asn ne '-';
	$tree->insert_network($network, \%row) if %row;
}
open my $out, '>:raw', $file or die "$file: $!";
$tree->write_tree($out);
close $out or die "$file: $!";
