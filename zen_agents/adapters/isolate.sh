# shellcheck shell=dash
# Stands between the engine and what is tried of an environment: in namespaces of its own it puts a copy in the environment's
# place and a directory to write to in the stage's, makes all else read-only, and becomes the command.
# Arguments: STAGE ENVIRONMENT ACCESS PROJECT COMMAND [ARGUMENT...]
# ACCESS: none where there is no copy, STAGE/env, to put in the place of ENVIRONMENT; else rw or ro, which the command sees to.
# PROJECT: a directory over which a layer is put that takes all that is written there, and is never kept; "" for none.
set -eu
stage=$1 place=$2 access=$3 project=$4
shift 4
[ "$access" = none ] || mount --bind "$stage/env" "$place"
if [ -n "$project" ]; then
    mkdir "$stage/layer"
    mount -t tmpfs -o nosuid,nodev,mode=755,size=64m tmpfs "$stage/layer"
    mkdir "$stage/layer/upper" "$stage/layer/work"
    chown --reference="$stage/scratch" "$stage/layer/upper"
    layers=lowerdir=$project,upperdir=$stage/layer/upper,workdir=$stage/layer/work
    mount -t overlay -o "nosuid,nodev,$layers" overlay "$project" || {
        echo "no layer can be put over $project, in which uv could write a lock" >&2
        exit 1
    }
fi
# From here on only what lies in scratch can be seen of the stage, and that is where the stage was.
mount --bind "$stage/scratch" "$stage"
mount -t tmpfs -o nosuid,nodev,mode=1777,size=256m tmpfs /dev/shm
# Without a network of its own nothing answers on loopback either, which a test may want to listen on.
ip link set lo up 2>/dev/null || :
exec "$@"
