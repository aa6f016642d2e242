#!/bin/sh
# A game day for cron, or for a CI system without an example of its own: runs a drill, keeps its debrief, its JUnit report
# and its metrics in a directory, puts back what is left, and tells news from trouble by the exit code.
# Usage: game-day.sh DRILL ENVIRONMENT [DIRECTORY]
set -u
drill=$1 environment=$2 dir=${3:-game-day}

firedrill run "$drill" --env "$environment" --yes --junit "$dir/junit.xml" --artifacts "$dir" &
run=$!
# A shell that waits for a child keeps signals to itself. They are handed on, and the undo is waited for.
trap 'kill -TERM "$run"' INT TERM HUP
while :; do
	wait "$run"
	code=$?
	kill -0 "$run" 2>/dev/null || break # else a signal has ended the wait, and not the drill
done
trap - INT TERM HUP
firedrill recover --all --env "$environment" || code=5

case $code in
0) echo "met: nothing to do but to read $dir/$drill/debrief.md" ;;
3) echo "the team was late, or nobody noticed: hold the debrief" ; exit 0 ;; # a finding, not a broken build
75) echo "not now: outside the window, or something is going on" ; exit 0 ;;
5) echo "something is left in place: firedrill status" ; exit 5 ;;
*) exit "$code" ;;
esac
