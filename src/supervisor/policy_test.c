#include "base/test.h"

#include <stdio.h>

#include "supervisor/policy.h"

/* The whole matrix: what is not written here must be refused. */
static const char *const allowed[] = {
	"account inspect asker-inspect",   "account vault principal-vault",     "account watch room-watch",
	"auth account auth-account",       "auth vault principal-vault",        "auth watch room-watch",
	"edge-client account courier-account", "edge-client auth edge-auth",    "edge-client inspect asker-inspect",
	"edge-client queue edge-queue",    "edge-client vault principal-vault", "edge-client watch room-watch",
	"edge-mx account courier-account", "edge-mx auth edge-auth",            "edge-mx inspect asker-inspect",
	"edge-mx queue edge-queue",        "edge-mx vault principal-vault",     "edge-mx watch room-watch",
	"inspect watch room-watch",        "queue account courier-account",     "queue vault principal-vault",
	"queue watch room-watch",          "vault watch room-watch",            "watch vault principal-vault",
	"web auth web-auth",               "web queue web-queue",               "web watch room-watch",
	"web watch web-watch",             "resolve watch room-watch",          "auth resolve asker-resolve",
	"fetch watch room-watch",          "fetch resolve asker-resolve",       "auth fetch asker-fetch",
	"watch fetch asker-fetch",         "relay fetch asker-fetch",
	"inspect resolve asker-resolve",   "edge-mx resolve asker-resolve",     "edge-client resolve asker-resolve",
	"relay watch room-watch",          "relay vault principal-vault",       "relay auth relay-auth",
	"relay inspect asker-inspect",     "relay resolve asker-resolve",       "queue relay queue-relay",
	"edge-mx relay edge-relay",        "watch auth watch-auth",             "auth queue auth-queue",
	"edge-client web edge-web",        "web auth visitor-auth",
};

static const char *const pairs[] = {"asker-inspect", "auth-account", "courier-account", "edge-auth",  "edge-queue",
				    "principal-vault", "room-watch", "supervisor-room", "web-auth", "web-queue",
				    "web-watch", "asker-resolve", "asker-fetch", "queue-relay", "edge-relay",
				    "relay-auth", "watch-auth", "auth-queue", "edge-web", "visitor-auth", ""};

static bool is_written(const char *from, const char *to, const char *pair)
{
	char line[100];
	snprintf(line, sizeof line, "%s %s %s", from, to, pair);
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if (strcmp(line, allowed[i]) == 0)
			return true;
	return false;
}

static void exactly_the_written_routes_are_open(void **state)
{
	(void)state;
	size_t open = 0;
	for (enum role from = 0; from < ROLES; from++)
		for (enum role to = 0; to < ROLES; to++)
			for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
				bool is = route_allowed(from, to, str_from(pairs[p]));
				assert_int_equal(is, is_written(role_row_of(from)->name, role_row_of(to)->name, pairs[p]));
				open += is;
			}
	assert_int_equal(open, sizeof allowed / sizeof allowed[0]);
}

static void rooms_meet_where_a_route_is_open_either_way(void **state)
{
	(void)state;
	assert_true(roles_meet(ROLE_EDGE_MX, ROLE_ACCOUNT) && roles_meet(ROLE_ACCOUNT, ROLE_EDGE_MX));
	assert_false(roles_meet(ROLE_INSPECT, ROLE_AUTH) || roles_meet(ROLE_AUTH, ROLE_INSPECT));
	assert_false(roles_meet(ROLE_ACCOUNT, ROLE_ACCOUNT) || roles_meet(ROLE_WEB, ROLE_ACCOUNT));
}

static void the_key_is_the_vaults_the_certificate_and_doors_to_the_world_the_edges(void **state)
{
	(void)state;
	enum role role;
	for (enum role r = 0; r < ROLES; r++)
		assert_int_equal(role_row_of(r)->tls, r == ROLE_VAULT ? TLS_KEY
			: r == ROLE_EDGE_MX || r == ROLE_EDGE_CLIENT  ? TLS_CERTIFICATE
								      : TLS_NOTHING);
	for (enum role r = 0; r < ROLES; r++)
		assert_int_equal(role_row_of(r)->bans, r == ROLE_WATCH ? BANS_WRITE
			: r == ROLE_EDGE_MX || r == ROLE_EDGE_CLIENT   ? BANS_READ
								       : BANS_NOTHING);
	assert_true(listener_role(STR("smtp"), &role) && role == ROLE_EDGE_MX);
	assert_true(listener_role(STR("imaps"), &role) && role == ROLE_EDGE_CLIENT);
	assert_true(listener_role(STR("pop3"), &role) && role == ROLE_EDGE_CLIENT);
	assert_true(listener_role(STR("pop3s"), &role) && role == ROLE_EDGE_CLIENT);
	assert_true(listener_role(STR("https"), &role) && role == ROLE_EDGE_CLIENT);
	assert_true(listener_role(STR("admin"), &role) && role == ROLE_WEB);
	assert_true(listener_role(STR("local"), &role) && role == ROLE_EDGE_CLIENT);
	assert_false(listener_role(STR("telnet"), &role));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_written_routes_are_open),
		cmocka_unit_test(rooms_meet_where_a_route_is_open_either_way),
		cmocka_unit_test(the_key_is_the_vaults_the_certificate_and_doors_to_the_world_the_edges),
	};
	return cmocka_run_group_tests_name("supervisor policy", tests, NULL, NULL);
}
