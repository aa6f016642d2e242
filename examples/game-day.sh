#!/bin/sh
# A game day for a CI job: run a drill, keep its debrief and metrics, and tell news from trouble by the exit code.
# Usage: game-day.sh DRILL ENVIRONMENT
set -u
drill=$1 environment=$2

firedrill run "$drill" --env "$environment" --yes
code=$?
firedrill debrief --env "$environment" >debrief.md
firedrill report --env "$environment" -o prometheus >firedrill.prom

case $code in
0) echo "met: nothing to do but to read debrief.md" ;;
3) echo "the team was late, or nobody noticed: hold the debrief" ; exit 0 ;; # a finding, not a broken build
75) echo "not now: outside the window, or something is going on" ; exit 0 ;;
5) echo "something is left in place: firedrill recover" ; exit 1 ;;
*) exit "$code" ;;
esac
