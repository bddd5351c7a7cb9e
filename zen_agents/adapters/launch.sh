# shellcheck shell=dash
# Stands between the engine and every command: waits for the word, looks at the emergency stop, then becomes the command.
# Arguments: OWN_FLAG HOST_FLAG DIRECTORY CPU_SECONDS COMMAND [ARGUMENT...]
# stdin: the engine's word; stdout: what went wrong before the command, closed without a word when it begins.
# stderr: where the command's output goes. Nothing is run if the engine ended before it gave the word.
IFS= read -r word || exit 125
[ "$word" = go ] || exit 125
for flag in "$1" "$2"; do
    if [ -e "$flag" ] || [ -L "$flag" ]; then
        echo stop
        exit 125
    fi
done
if ! cd "$3" 2>/dev/null; then
    echo directory
    exit 126
fi
umask 022
ulimit -c 0
[ "$4" = unlimited ] || ulimit -t "$4"
shift 4
exec "$@" </dev/null >&2
