# shellcheck shell=dash
# Stands between the engine and what is tried of an environment: in namespaces of its own it puts a copy in the environment's
# place and a directory to write to in the stage's, makes all else read-only, and becomes the command.
# Arguments: STAGE ENVIRONMENT ACCESS COMMAND [ARGUMENT...]
# ACCESS: none where there is no copy, STAGE/env, to put in the place of ENVIRONMENT; else rw or ro, which the command sees to.
set -eu
stage=$1 place=$2 access=$3
shift 3
[ "$access" = none ] || mount --bind "$stage/env" "$place"
# From here on only what lies in scratch can be seen of the stage, and that is where the stage was.
mount --bind "$stage/scratch" "$stage"
mount -t tmpfs -o nosuid,nodev,mode=1777,size=256m tmpfs /dev/shm
# Without a network of its own nothing answers on loopback either, which a test may want to listen on.
ip link set lo up 2>/dev/null || :
exec "$@"
