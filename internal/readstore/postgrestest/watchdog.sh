# Keeps a PostgreSQL cluster for the process at the other end of stdin: obeys its commands, each answered with an exit status, and
# when that process is gone, however it ended, stops the server and removes the cluster.
# $1: the directory of PostgreSQL's programs; $2: the directory of the cluster.
bin=$1 dir=$2
trap '' PIPE
while read -r command mode; do
	case $command in
	init) "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync ;;
	start) "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -s start ;;
	stop) "$bin/pg_ctl" -D "$dir/data" -m "$mode" -w -s stop ;;
	esac </dev/null >>"$dir/log" 2>&1
	echo $?
done
"$bin/pg_ctl" -D "$dir/data" -m immediate -w -s stop </dev/null >/dev/null 2>&1
rm -rf "$dir"
