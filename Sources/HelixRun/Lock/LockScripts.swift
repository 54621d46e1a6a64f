import HelixModel
import HelixPlan

/// What is run on a server to take its copy of the lock, renew it and give it back.
///
/// Whatever changes it does so under flock(2), which the kernel gives back when a connection is cut
/// half-way; files are renamed into place, so that a holder is never half written.
enum LockScripts {
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
  /// How every script begins that may change something.
  private static func beginning(_ run: RunIdentity) -> String {
    """
    \(LockReading.shell(fence: LockReading.fence))
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
