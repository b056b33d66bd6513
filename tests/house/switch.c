/* Stands in every room's place, for tests: becomes the liar where one lies
 * beside it (postern-ROOM.liar), else the room itself (postern-ROOM.good). The
 * supervisor keeps the programs open, so they cannot be exchanged while it runs. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char self[400], other[500];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	(void)argc;
	if (n < 0)
		return 1;
	self[n] = 0;
	snprintf(other, sizeof other, "%s.liar", self);
	if (access(other, X_OK) != 0)
		snprintf(other, sizeof other, "%s.good", self);
	execv(other, argv);
	perror(other);
	return 1;
}
