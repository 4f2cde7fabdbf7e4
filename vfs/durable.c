/* SPDX-License-Identifier: MIT */
#include "vfs/durable.h"

#include "replica/base/fileio.h"
#include "vfs/image.h"
#include "vfs/lead.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int sync_wal(struct lsv_db *db)
{
	auto_close int fd = -1;
	int r = 0;

	pthread_mutex_lock(&db->shadow);
	if (db->source.fd >= 0)
		r = lsv_source_is_path(&db->source, db->wal_path);
	if (db->source.fd >= 0 && r == 0)
		fd = fcntl(db->source.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else if (db->source.fd < 0)
		/* No connection here, but perhaps one elsewhere. */
		fd = lsv_open(db->wal_path, O_RDONLY, 0);
	if (r == 0 && fd < 0)
		r = -errno;
	pthread_mutex_unlock(&db->shadow);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* closed: it is in the database */
	return fdatasync(fd) < 0 ? -EIO : 0;
}

int lsv_make_durable(struct lsv_db *db)
{
	uint64_t resets = atomic_load(&lsv_db_coord(db)->unsynced_resets);
	int r = sync_wal(db);

	if (r == -EIO || r == -ESTALE) {
		pthread_mutex_lock(&db->shadow);
		if (lsv_lead_holds(db) && !db->reason)
			lsv_lead_end(db, r == -EIO ? "its WAL cannot be synced"
			                           : "its WAL was replaced");
		pthread_mutex_unlock(&db->shadow);
	}
	if (r < 0 || resets == atomic_load(&db->synced_resets))
		return r;
	r = lsv_db_enter(db);
	if (r < 0)
		return -EAGAIN;
	r = lsv_image_sync_file(db);
	lsv_db_leave(db);
	/* What was removed is nothing that the replica could be ahead of. */
	if (r < 0 && access(db->path, F_OK) < 0 && errno == ENOENT)
		r = 0;
	if (r == 0)
		atomic_store(&db->synced_resets, resets);
	return r;
}
