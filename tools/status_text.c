/* SPDX-License-Identifier: MIT */
#include "tools/status_text.h"

#include "replica/base/clock.h"
#include "tools/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *colour_of(enum lsv_health health)
{
	switch (health) {
	case LSV_HEALTH_FINE:
		return HUMAN_GREEN;
	case LSV_HEALTH_BEHIND:
	case LSV_HEALTH_UNKNOWN:
		return HUMAN_YELLOW;
	case LSV_HEALTH_FAILING:
	case LSV_HEALTH_BROKEN:
	case LSV_HEALTH_NONE:
	case LSV_HEALTH_NOT_WAL:
		return HUMAN_RED;
	}
	abort();
}

static void print_state(enum lsv_health health)
{
	const char *text = lsv_health_text(health);

	if (human_has_colours())
		printf("state     %s%s" HUMAN_PLAIN "\n", colour_of(health),
		       text);
	else
		printf("state     %s\n", text);
}

static void print_replica(const struct lsv_status *status,
                          const struct lsv_replica_status *replica)
{
	char position[LSV_POS_TEXT_SIZE] = "-", time[LSV_TIME_TEXT_SIZE] = "-";
	char since[LSV_TIME_TEXT_SIZE];

	if (replica->shipped.generation)
		lsv_pos_format(&replica->shipped, position);
	if (replica->shipped_ns)
		lsv_time_format(replica->shipped_ns, time);
	printf("replica   %s  %s\n", replica->name, replica->url);
	if (status->n_replicas > 1)
		print_state(replica->health);
	printf("position  %s  txid %" PRIu64 "  %s\n", position,
	       replica->shipped_txid, time);
	if (replica->lag_ns)
		printf("lag       %.3f s (txid %" PRIu64 " is here)\n",
		       (double)replica->lag_ns / 1e9, status->captured_txid);
	if (replica->failing_ns) {
		lsv_time_format(replica->failing_ns, since);
		printf("since     %s\n", since);
	}
	if (replica->error[0])
		printf("error     %s\n", replica->error);
}

void status_print(const struct lsv_status *status)
{
	printf("database  %s\n", status->path);
	print_state(status->health);
	for (size_t i = 0; i < status->n_replicas; i++) {
		if (status->n_replicas > 1)
			putchar('\n');
		print_replica(status, &status->replicas[i]);
	}
	if (status->error[0])
		printf("error     %s\n", status->error);
}
