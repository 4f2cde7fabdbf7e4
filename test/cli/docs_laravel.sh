#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs-guides(7), Laravel: an application of Debian's Laravel migrates, writes
# through Eloquent from several processes at once, and loses its database.

. "${top_srcdir:-.}/test/lib/functions.sh"
. "${top_srcdir:-.}/test/lib/guide.sh"

[ -z "$SANITIZER" ] || skip 'PHP would be preloaded without the sanitizer'
requires sqlite3 php systemd-analyze
php -r 'require "Illuminate/autoload.php";' >err 2>&1 ||
	skip "php-laravel-framework is not installed"
use_guides

# What `laravel new` makes, as far as it is needed here.
mkdir -p app/Console app/Models bootstrap/cache config database/migrations \
	routes storage/framework storage/logs vendor
cat >vendor/autoload.php <<'END'
<?php
require_once 'Illuminate/autoload.php';
spl_autoload_register(function ($name) {
    $file = dirname(__DIR__).'/'.lcfirst(strtr($name, '\\', '/')).'.php';
    if (is_file($file)) {
        require $file;
    }
});
END
cat >artisan <<'END'
<?php
require __DIR__.'/vendor/autoload.php';
$app = require __DIR__.'/bootstrap/app.php';
$kernel = $app->make(Illuminate\Contracts\Console\Kernel::class);
exit($kernel->handle(new Symfony\Component\Console\Input\ArgvInput,
    new Symfony\Component\Console\Output\ConsoleOutput));
END
cat >bootstrap/app.php <<'END'
<?php
$app = new Illuminate\Foundation\Application(dirname(__DIR__));
$app->singleton(Illuminate\Contracts\Console\Kernel::class,
    App\Console\Kernel::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class,
    Illuminate\Foundation\Exceptions\Handler::class);
return $app;
END
cat >app/Console/Kernel.php <<'END'
<?php
namespace App\Console;

class Kernel extends \Illuminate\Foundation\Console\Kernel
{
    protected function commands()
    {
        require base_path('routes/console.php');
    }
}
END
cat >config/app.php <<'END'
<?php
return ['providers' => [
    Illuminate\Cache\CacheServiceProvider::class,
    Illuminate\Database\DatabaseServiceProvider::class,
    Illuminate\Filesystem\FilesystemServiceProvider::class,
    Illuminate\Foundation\Providers\ConsoleSupportServiceProvider::class,
    Illuminate\Queue\QueueServiceProvider::class,
]];
END
cat >config/cache.php <<'END'
<?php
return ['default' => 'array', 'stores' => ['array' => ['driver' => 'array']]];
END
# Word for word, but for the databases that are not SQLite.
cat >config/database.php <<'END'
<?php
return [
    'default' => env('DB_CONNECTION', 'mysql'),
    'connections' => [
        'sqlite' => [
            'driver' => 'sqlite',
            'url' => env('DATABASE_URL'),
            'database' => env('DB_DATABASE', database_path('database.sqlite')),
            'prefix' => '',
            'foreign_key_constraints' => env('DB_FOREIGN_KEYS', true),
        ],
    ],
    'migrations' => 'migrations',
];
END

# The application.
cat >database/migrations/2026_01_01_000000_create_notes_table.php <<'END'
<?php
use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up()
    {
        Schema::create('notes', function (Blueprint $table) {
            $table->id();
            $table->string('text');
            $table->timestamps();
        });
    }
};
END
cat >app/Models/Note.php <<'END'
<?php
namespace App\Models;

class Note extends \Illuminate\Database\Eloquent\Model
{
    protected $fillable = ['text'];
}
END
cat >routes/console.php <<'END'
<?php
use App\Models\Note;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;

Artisan::command('notes {of}', function ($of) {
    Note::create(['text' => "$of alone"]);
    DB::transaction(function () use ($of) {
        foreach (range(1, 10) as $i) {
            Note::create(['text' => "$of $i"]);
        }
        Note::where('text', "$of 1")->update(['text' => "$of one"]);
    });
});
END
guide_file .env

run laravel >out 2>&1 || fail "$(cat out)"
eventually 60 is_told_so

writers=()
for i in 1 2 3 4; do
	LD_PRELOAD=liblsvfs.so php artisan notes "$i" >"out.$i" 2>&1 &
	writers+=("$!")
done
for i in 1 2 3 4; do
	wait "${writers[i - 1]}" || fail "writer $i: $(cat "out.$i")"
	[ ! -s "out.$i" ] || fail "writer $i said $(cat "out.$i")"
done
lose_and_restore
[ "$(sqlite3 db.sqlite3 'select count(*) from notes')" = 44 ] ||
	fail 'notes are missing'

# A new machine: the guide's commands again bring it back, and go on with it.
rm -r db.sqlite3* .db.sqlite3-litestream
run laravel >out 2>&1 || fail "$(cat out)"
grep -q 'Nothing to migrate' out || fail "$(cat out)"
LD_PRELOAD=liblsvfs.so php artisan notes 5 >out 2>&1 || fail "$(cat out)"
lose_and_restore
[ "$(sqlite3 db.sqlite3 'select count(*) from notes')" = 55 ] ||
	fail 'notes are missing'

# The drop-in, in a unit that it may be dropped into.
mkdir php8.2-fpm.service.d
guide file override.conf >php8.2-fpm.service.d/override.conf
printf '[Service]\nExecStart=%s\n' "$(command -v php)" >php8.2-fpm.service
verify_units ./php8.2-fpm.service
