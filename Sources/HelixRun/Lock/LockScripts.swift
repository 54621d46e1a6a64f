import HelixModel

/// What is run on a server to look at its copy of the lock, take it, renew it and give it back.
///
/// Whatever changes it does so under flock(2), which the kernel gives back when a connection is cut
/// half-way; files are renamed into place, so that a holder is never half written.
enum LockScripts {
  /// The word before a script's verdict.
  static let mark = "helix-lock"

  /// Tells who holds it; changes nothing.
  static func look(fence: String) -> String {
    """
    \(reading(fence: fence))
    helix_look
    helix_tell seen
    """
  }

  /// Takes a copy that is free, expired, or held by a run in `over`.
  static func take(number: Int, run: RunIdentity, timeToLive: Int, over: [String]) -> String {
    """
    \(beginning(run))
    n=\(number)
    over=\(shellQuoted(" \(over.joined(separator: " ")) "))
    verdict=granted
    if [ "$state" = live ]; then case $over in *" $run "*) ;; *) verdict=held ;; esac; fi
    if [ "$verdict" = granted ]; then
    if [ "$n" -le "$highest" ] || [ "$n" -le "$fence" ]; then verdict=outnumbered; fi
    fi
    if [ "$verdict" = granted ]; then
    helix_keep "$lock/highest" "$n"
    taken=$up
    \(holding(number, run, timeToLive))
    fi
    helix_look
    helix_tell "$verdict"
    """
  }

  /// Renews a copy, and takes it where nobody does or the server forgot it in a reboot; from then on
  /// older runs are kept out.
  static func renew(number: Int, run: RunIdentity, timeToLive: Int) -> String {
    """
    \(beginning(run))
    n=\(number)
    verdict=held
    if [ "$fence" -gt "$n" ]; then :
    elif [ "$run" = "$me" ]; then
    verdict=renewed
    [ "$booted" = "$boot" ] || taken=$up
    elif [ "$state" != live ] && [ "$highest" -le "$n" ]; then
    verdict=renewed
    taken=$up
    fi
    if [ "$verdict" = renewed ]; then
    \(holding(number, run, timeToLive))
    [ "$highest" -ge "$n" ] || helix_keep "$lock/highest" "$n"
    [ "$fence" -ge "$n" ] || helix_keep "$wall" "$n "\(shellQuoted(run.who))
    fi
    helix_look
    helix_tell "$verdict"
    """
  }

  /// Gives a copy back; a number under which something may have been done stays in force.
  static func giveBack(number: Int, run: RunIdentity, wasHeld: Bool) -> String {
    """
    \(beginning(run))
    n=\(wasHeld ? number : 0)
    if [ "$run" = "$me" ]; then
    [ "$fence" -ge "$n" ] || helix_keep "$wall" "$n "\(shellQuoted(run.who))
    rm -f "$lock/holder"
    fi
    helix_look
    helix_tell removed
    """
  }

  /// Takes a copy away from `holder`, or nobody, and shuts every number below `number` out.
  static func remove(holder: String, number: Int, by run: RunIdentity) -> String {
    """
    \(beginning(run))
    n=\(number)
    verdict=removed
    if [ "$run" != \(shellQuoted(holder)) ]; then
    verdict=changed
    else
    [ "$highest" -ge "$n" ] || helix_keep "$lock/highest" "$n"
    [ "$fence" -ge "$n" ] || helix_keep "$wall" "$n "\(shellQuoted("\(run.who), who unlocked"))
    rm -f "$lock/holder"
    fi
    helix_look
    helix_tell "$verdict"
    """
  }
}

extension LockScripts {
  /// Defines what reads a server's copy into variables, and what tells of it.
  private static func reading(fence: String) -> String {
    """
    dir=\(HostPlaces.state)
    wall=\(fence)
    lock=$dir/lock
    helix_number() { case $1 in ''|*[!0-9]*) number=0 ;; *) number=$1 ;; esac; }
    helix_look() {
    \(HostPlaces.telling)
    fence=0 highest=0 run= mine=0 booted= taken=0 renewed=0 ttl=0 state=free
    if [ -s "$wall" ]; then read -r number _ <"$wall" || :; helix_number "$number"; fence=$number; fi
    if [ -s "$lock/highest" ]; then read -r number <"$lock/highest" || :; helix_number "$number"; highest=$number; fi
    [ -f "$lock/holder" ] || return 0
    while read -r key value; do
    helix_number "$value"
    case $key in
    run) run=$value ;;
    boot) booted=$value ;;
    number) mine=$number ;;
    taken) taken=$number ;;
    renewed) renewed=$number ;;
    ttl) ttl=$number ;;
    esac
    done <"$lock/holder"
    state=expired
    [ "$booted" = "$boot" ] && [ "$fence" -le "$mine" ] || return 0
    if [ "$up" -ge "$renewed" ] && [ $((up - renewed)) -le "$ttl" ]; then state=live; fi
    }
    helix_tell() {
    echo "\(mark) $1 $state"
    [ ! -f "$lock/holder" ] || cat "$lock/holder"
    echo "uptime $up"
    echo "now-boot $boot"
    echo "fence $fence"
    echo "highest $highest"
    }
    """
  }

  /// How every script begins that may change something.
  private static func beginning(_ run: RunIdentity) -> String {
    """
    \(reading(fence: "\(HostPlaces.state)/fence"))
    \(HostPlaces.keeping)
    me=\(shellQuoted(run.id))
    umask 077
    mkdir -p "$lock"
    exec 9>>"$dir/mutex"
    flock -w 5 9
    helix_look
    """
  }

  /// Writes the holder, renewed now and taken at `$taken`.
  private static func holding(_ number: Int, _ run: RunIdentity, _ timeToLive: Int) -> String {
    let lines = [
      "run \(run.id)", "number \(number)", "user \(run.user)", "host \(run.host)",
      "pid \(run.pid)", "command \(run.command)", "started \(run.started)",
      "process \(run.process)", "ttl \(timeToLive)",
    ]
    return """
      {
      printf '%s\\n' \(lines.map(shellQuoted).joined(separator: " "))
      printf 'boot %s\\ntaken %s\\nrenewed %s\\n' "$boot" "$taken" "$up"
      } >"$lock/holder.new"
      mv -f "$lock/holder.new" "$lock/holder"
      """
  }
}
